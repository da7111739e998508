"""Options of a bulk reading, and its progress callbacks."""

from dataclasses import dataclass
from typing import Protocol

from edgedigits.predicting.pictures import ReaderOptions

STARTING_READERS = "starting readers"
"""The stage after which pictures are read."""


@dataclass(frozen=True)
class BulkOptions:
    """A bulk reading.

    Attributes:
        sources: folders, patterns, files and shards, as paths or as addresses for fsspec.
        out: the folder for the parts, likewise.
        reading: how to open the reader.
        address: of Ray, see edgedigits.ray_cluster.cluster; None reads on this machine without Ray.
        resume: continue the run in `out`.
        workers: number of readers; one for each processor core of the machine or the cluster if None.
        column: of Parquet files, with the pictures; the only possible one if None.
        part_size: pictures of a part; grows with their number if None.
    """

    sources: tuple[str, ...]
    out: str
    reading: ReaderOptions = ReaderOptions()
    address: str | None = None
    resume: bool = False
    workers: int | None = None
    column: str | None = None
    part_size: int | None = None


class Progress(Protocol):
    """Progress callbacks."""

    def stage(self, name: str) -> None:
        """Start a stage."""

    def set_total(self, pictures: int | None) -> None:
        """Set the number of pictures, None if unknown."""

    def advance(self, pictures: int, /) -> None:
        """Count pictures that have been read."""
