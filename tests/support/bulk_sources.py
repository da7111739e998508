"""Sources for tests of bulk reading: pictures, tars, Parquet, and reading without Ray."""

import io
import tarfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from edgedigits.bulk.bulk_options import BulkOptions, Progress
from edgedigits.bulk.bulk_reading import read_bulk
from edgedigits.bulk.parts import Summary
from edgedigits.bulk.worker import Job, Worker
from edgedigits_runtime.synthetic.samples import golden_pictures

PICTURES = [encoded for encoded, _ in golden_pictures()]


def picture(index: int) -> bytes:
    """Return an encoded picture; few are different."""
    return PICTURES[index % len(PICTURES)]


def write_pictures(folder: Path, count: int) -> Path:
    """Write numbered pictures, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        (folder / f"{index}.png").write_bytes(picture(index))
    return folder


def tar_of(count: int, mode: str = "w") -> bytes:
    """Return a WebDataset shard with a picture and a label for each sample."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as tar:  # type: ignore[call-overload]
        for index in range(count):
            # Long names have a header of their own.
            for name, content in (
                (f"{index:06}{'-long' * (index % 3 * 20)}.png", picture(index)),
                (f"{index:06}.cls", b"7"),
            ):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return file.getvalue()


def parquet_of(columns: dict[str, Any], rows_a_group: int = 1000) -> bytes:
    """Return a Parquet file."""
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, row_group_size=rows_a_group)
    return file.getvalue()


class RecordedProgress:
    """Records progress."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.pictures: int | None = None
        self.count = 0

    def stage(self, name: str) -> None:
        self.stages.append(name)

    def set_total(self, pictures: int | None) -> None:
        self.pictures = pictures

    def advance(self, pictures: int) -> None:
        self.count += pictures


def here(job: Job, numbers: list[int], options: BulkOptions, progress: Progress) -> Generator[Summary]:
    """Read units in this process."""
    worker = Worker(job)
    for number in numbers:
        yield worker.read(number)


def read_here(out: Path | str, *sources: Path | str, **options: Any) -> Summary:
    """Read in bulk, without Ray."""
    return read_bulk(BulkOptions(tuple(map(str, sources)), str(out), **options), RecordedProgress(), here)


def rows_of(out: Path) -> list[dict[str, Any]]:
    """Return the rows of all parts, in the order of the parts."""
    return [row for part in sorted(out.glob("part-*.parquet")) for row in pq.read_table(part).to_pylist()]


def parts_of(out: Path) -> dict[str, bytes]:
    """Return the contents of all parts."""
    return {part.name: part.read_bytes() for part in out.glob("part-*")}


def sources_in(rows: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> list[str]:
    """Return the sources of the rows."""
    return [row["source"] for row in rows]
