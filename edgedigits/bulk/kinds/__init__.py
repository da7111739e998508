"""Kinds of sources: single files, rows of a Parquet file, members of a tar.

Each module of KINDS has
    units(address, options) -> Iterator[Unit]: the units of one file, numbered later; and
    pictures(unit, options) -> Iterator[Source]: the pictures of a unit, in order, as bytes or paths.
`pictures` raises ShardBroken where a file is cut off or damaged, after everything before that place. Both raise
SourceNotFound or SourceUnavailable if a file cannot be opened.
"""

from importlib import import_module
from types import ModuleType

KINDS = {
    "files": "edgedigits.bulk.kinds.files",
    "parquet": "edgedigits.bulk.kinds.parquet",
    "tar": "edgedigits.bulk.kinds.tar",
}

SUFFIXES = {".parquet": "parquet", ".tar": "tar", ".tar.gz": "tar", ".tgz": "tar"}


def kind_of(name: str) -> str:
    """Return the kind of a file by its name."""
    return next((kind for suffix, kind in SUFFIXES.items() if name.lower().endswith(suffix)), "files")


def open_kind(kind: str) -> ModuleType:
    """Return the module of a kind."""
    return import_module(KINDS[kind])
