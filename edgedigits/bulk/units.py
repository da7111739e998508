"""Units: the pictures that one worker reads at a time and that become one part of the output."""

import os
from dataclasses import dataclass

from edgedigits.bulk.addresses import is_remote

MIN_SIZE, MAX_SIZE = 256, 10_000
"""Pictures of a unit, if not set: many units for few pictures, and parts of a useful size for many."""


@dataclass(frozen=True)
class Unit:
    """A bounded number of pictures.

    Attributes:
        kind: a key of KINDS.
        address: the shard; empty for files.
        start, stop: the first row or byte, and the one after the last; None for the rest of the shard.
        pictures: their number, if known.
        paths: the files, as they were named.
        number: of the unit and of its part.
    """

    kind: str
    address: str = ""
    start: int = 0
    stop: int | None = None
    pictures: int | None = None
    paths: tuple[str, ...] = ()
    number: int = 0


@dataclass(frozen=True)
class SourceOptions:
    """Options for all units of a run.

    Attributes:
        folder: the base of relative paths.
        column: of Parquet files, with the pictures; None for the only possible one.
        size: pictures of a unit; None for a size that grows with their number.
    """

    folder: str
    column: str | None = None
    size: int | None = None

    def resolve(self, address: str) -> str:
        """Return an address that does not depend on the working directory."""
        return address if is_remote(address) else os.path.join(self.folder, address)  # noqa: PTH118  # any bytes

    def unit_size(self, planned: int) -> int:
        """Return the size of the next unit after this many planned pictures."""
        return self.size or max(MIN_SIZE, min(MAX_SIZE, planned // 200))
