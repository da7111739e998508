"""What pictures come in: files one by one, the rows of a Parquet file, the members of a tar.

Each module of KINDS has
    units(address, about) -> Iterator[Unit]: the parts of one file to read, numbered later; and
    pictures(unit, about) -> Iterator[Source]: the pictures of a part, in order, their bytes or their paths.
A damaged file raises ShardBroken from either, after whatever could be found in it.
"""

from importlib import import_module
from types import ModuleType

from edgedigits.bulk.kinds.unit import About, Unit

__all__ = ["KINDS", "About", "Unit", "kind_of", "open_kind"]

KINDS = {
    "files": "edgedigits.bulk.kinds.files",
    "parquet": "edgedigits.bulk.kinds.parquet",
    "tar": "edgedigits.bulk.kinds.tar",
}

SHARDS = {
    ".parquet": "parquet",
    ".tar": "tar",
    ".tar.gz": "tar",
    ".tgz": "tar",
}


def kind_of(name: str) -> str:
    """Return the kind of a file, by its name."""
    return next((kind for suffix, kind in SHARDS.items() if name.lower().endswith(suffix)), "files")


def open_kind(kind: str) -> ModuleType:
    """Return the module of a kind."""
    return import_module(KINDS[kind])
