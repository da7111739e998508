"""A unit: what one worker reads at a time, and what becomes one part of the output."""

import os
from dataclasses import dataclass

from edgedigits.bulk.addresses import is_remote

FEWEST, MOST = 256, 10_000
"""Pictures of a unit where it can be chosen: many units for few pictures, and parts of a useful size for many."""

SPLIT_BELOW = 256
"""Shards from which on none is divided: there are units enough, and dividing one means to look into it first."""


@dataclass(frozen=True)
class Unit:
    """A bounded number of pictures.

    Attributes:
        kind: a key of KINDS.
        address: the shard that they stand in; empty for files.
        start, stop: the first row or byte, and the one after the last; None for all that follows.
        pictures: how many there are, where that is known.
        paths: of files, as they were named.
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
class About:
    """What holds for all units of a run.

    Attributes:
        folder: what relative paths start from.
        column: of Parquet files, that holds the pictures; None for the only one that can.
        size: pictures of a unit; None for a number that grows with them.
    """

    folder: str
    column: str | None = None
    size: int | None = None

    def located(self, address: str) -> str:
        """Return an address that holds wherever it is opened."""
        return address if is_remote(address) else os.path.join(self.folder, address)  # noqa: PTH118  # any bytes

    def unit_size(self, planned: int) -> int:
        """Return how many pictures the next unit gets after so many planned ones."""
        return self.size or max(FEWEST, min(MOST, planned // 200))
