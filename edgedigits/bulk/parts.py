"""Parts: the Parquet files of a bulk reading, one for each unit, with its counts in the footer."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from edgedigits.bulk.folders import Folder
from edgedigits.bulk.summary import Summary
from edgedigits.predicting.pictures import Outcome
from edgedigits.predicting.text import lowest_confidence, printable
from edgedigits_runtime.errors import SourceNotFound

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

COLUMNS = ("source", "text", "boxes", "confidence", "error", "model")

COUNTS = b"edgedigits"
"""The key in a part's footer under which its counts stand."""

ROWS = 1024
"""Rows that are held before they are written."""

PREFIX, SUFFIX = "part-", ".parquet"


def part_name(number: int) -> str:
    """Return the name of a unit's part."""
    return f"{PREFIX}{number:06}{SUFFIX}"


def number_of(name: str) -> int | None:
    """Return the number in a part's name; None where it is no part."""
    digits = name.removeprefix(PREFIX).removesuffix(SUFFIX)
    return int(digits) if digits.isdecimal() and name == part_name(int(digits)) else None


def schema() -> "pa.Schema":
    """Return the columns.

    text is null where there is an error, and empty where no digit was found; boxes holds one entry a digit, in the
    order of the text, in pixels of the upright picture; confidence is that of the least sure digit, else null.
    """
    import pyarrow as pa

    corner = [(name, pa.int32()) for name in ("x", "y", "width", "height")]
    box = pa.struct([*corner, ("label", pa.string()), ("confidence", pa.float32())])
    kinds = (pa.string(), pa.string(), pa.list_(box), pa.float32(), pa.string(), pa.string())
    return pa.schema(list(zip(COLUMNS, kinds, strict=True)))


def row_of(outcome: Outcome, model: str) -> dict[str, Any]:
    """Return the values of COLUMNS."""
    reading = outcome.reading
    if reading is None:
        error = printable(outcome.error)
        return dict(zip(COLUMNS, (printable(outcome.name), None, [], None, error, model), strict=True))
    boxes = [
        {**dict(zip(("x", "y", "width", "height"), digit.box, strict=True)),
         "label": digit.label, "confidence": digit.confidence}
        for digit in reading.digits
    ]  # fmt: skip
    sure = lowest_confidence(reading) if reading.digits else None
    return dict(zip(COLUMNS, (printable(outcome.name), reading.text, boxes, sure, None, model), strict=True))


class PartWriter:
    """Writes the rows of one part, ROWS at a time."""

    def __init__(self, file: "pq.ParquetWriter", model: str) -> None:
        self._file = file
        self._model = model
        self._rows: list[dict[str, Any]] = []
        self.summary = Summary()

    def write(self, outcome: Outcome) -> None:
        """Add a row."""
        self._rows.append(row_of(outcome, self._model))
        self.summary.count(outcome)
        if len(self._rows) >= ROWS:
            self.flush()

    def broken(self, outcome: Outcome) -> None:
        """Add a row for a shard that cannot be read any further."""
        self.write(outcome)
        self.summary.broken.append(outcome.error)

    def flush(self) -> None:
        """Write what is held."""
        import pyarrow as pa

        if self._rows:
            self._file.write_table(pa.Table.from_pylist(self._rows, schema=schema()))
            self._rows = []


@contextmanager
def writing_part(folder: Folder, number: int, model: str) -> Iterator[PartWriter]:
    """Write a unit's part, whole or not at all.

    Raises:
        OutputNotWritable: the folder is read-only, the disk is full, or the store refuses.
    """
    import pyarrow.parquet as pq

    with (
        folder.being_written(part_name(number)) as path,
        # The checksums tell a damaged part when a run goes on.
        pq.ParquetWriter(path, schema(), compression="zstd", write_page_checksum=True) as file,
    ):
        writer = PartWriter(file, model)
        yield writer
        writer.flush()
        file.add_key_value_metadata({COUNTS: json.dumps(writer.summary.to_dict()).encode()})


def counts_of(folder: Folder, number: int) -> Summary | None:
    """Return the counts of a part, or None where it is missing, or damaged in any place."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with folder.open(part_name(number)) as raw:
            file = pq.ParquetFile(raw, page_checksum_verification=True)
            counts = Summary.of_dict(json.loads((file.metadata.metadata or {})[COUNTS]))
            rows = sum(batch.num_rows for batch in file.iter_batches(ROWS, use_threads=False))
    except (SourceNotFound, pa.ArrowException, OSError, KeyError, ValueError, TypeError):
        return None
    return counts if rows == counts.pictures else None
