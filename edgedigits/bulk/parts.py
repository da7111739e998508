"""Parts: the Parquet files of the output, one for each unit, with a summary in the footer."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edgedigits.bulk.folders import Folder
from edgedigits.predicting.pictures import Outcome
from edgedigits.predicting.text import lowest_confidence, printable
from edgedigits_runtime.errors import SourceNotFound

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

COLUMNS = ("source", "text", "boxes", "confidence", "error", "model")

SUMMARY_KEY = b"edgedigits"
"""The key of the summary in the footer."""

ROWS = 1024
"""Rows in memory before they are written."""

PREFIX, SUFFIX = "part-", ".parquet"


@dataclass
class Summary:
    """Counts of outcomes.

    Attributes:
        pictures: number of rows.
        blank: pictures that were read and hold no digit.
        errors: number of unreadable pictures by error class.
        examples: one message by error class.
        broken: a line for each shard that could not be read to its end.
    """

    pictures: int = 0
    blank: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def count(self, outcome: Outcome) -> None:
        """Count a picture."""
        self.pictures += 1
        if outcome.reading is None:
            self.errors[outcome.kind] += 1
            self.examples.setdefault(outcome.kind, outcome.error)
        elif not outcome.reading.digits:
            self.blank += 1

    def add(self, other: "Summary") -> None:
        """Add the counts of another part."""
        self.pictures += other.pictures
        self.blank += other.blank
        self.errors += other.errors
        self.examples = other.examples | self.examples
        self.broken += other.broken

    @property
    def failed(self) -> int:
        """Number of unreadable pictures."""
        return self.errors.total()

    def to_dict(self) -> dict[str, Any]:
        return {**vars(self), "errors": dict(self.errors)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Summary":
        return cls(**{**values, "errors": Counter(values["errors"])})


def part_name(number: int) -> str:
    """Return the file name of a unit's part."""
    return f"{PREFIX}{number:06}{SUFFIX}"


def number_of(name: str) -> int | None:
    """Return the number in the file name of a part; None for other files."""
    digits = name.removeprefix(PREFIX).removesuffix(SUFFIX)
    return int(digits) if digits.isdecimal() and name == part_name(int(digits)) else None


def schema() -> "pa.Schema":
    """Return the columns.

    `text` is null for an error, and empty if there is no digit. `boxes` has an entry for each digit, in the order of
    the text, in pixels of the upright picture. `confidence` is the lowest of all digits, or null.
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
    confidence = lowest_confidence(reading) if reading.digits else None
    return dict(zip(COLUMNS, (printable(outcome.name), reading.text, boxes, confidence, None, model), strict=True))


class PartWriter:
    """Writes the rows of a part."""

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

    def flush(self) -> None:
        import pyarrow as pa

        if self._rows:
            self._file.write_table(pa.Table.from_pylist(self._rows, schema=schema()))
            self._rows = []


@contextmanager
def writing_part(folder: Folder, number: int, model: str) -> Iterator[PartWriter]:
    """Write a unit's part, whole or not at all; raises OutputNotWritable."""
    import pyarrow.parquet as pq

    with (
        folder.being_written(part_name(number)) as path,
        # Checksums reveal damaged parts when a run is resumed.
        pq.ParquetWriter(path, schema(), compression="zstd", write_page_checksum=True) as file,
    ):
        writer = PartWriter(file, model)
        yield writer
        writer.flush()
        file.add_key_value_metadata({SUMMARY_KEY: json.dumps(writer.summary.to_dict()).encode()})


def summary_of(folder: Folder, number: int) -> Summary | None:
    """Return the summary of a part, or None if the part is missing or damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with folder.open(part_name(number)) as raw:
            file = pq.ParquetFile(raw, page_checksum_verification=True)
            summary = Summary.from_dict(json.loads((file.metadata.metadata or {})[SUMMARY_KEY]))
            rows = sum(batch.num_rows for batch in file.iter_batches(ROWS, use_threads=False))
    except (SourceNotFound, pa.ArrowException, OSError, KeyError, ValueError, TypeError):
        return None
    return summary if rows == summary.pictures else None
