"""Where the files of a dataset are looked for, and where downloads go.

In this order: the folder the caller names, the one in EDGEDIGITS_DATA, the user's cache. Below each a file
lies at <root>/<dataset>/<file>.
"""

import os
from pathlib import Path

from edgedigits.data.description import DataFile
from edgedigits_runtime.errors import MissingExtra

ENVIRONMENT = "EDGEDIGITS_DATA"


def search_roots(data_dir: Path | None = None) -> tuple[Path, ...]:
    """Return the folders to look in, in order; they need not exist.

    Raises:
        MissingExtra: platformdirs, which knows the user's cache, is not installed.
    """
    named = [data_dir] if data_dir else []
    if from_environment := os.environ.get(ENVIRONMENT):
        named.append(Path(from_environment))
    return (*named, user_cache())


def user_cache() -> Path:
    """Return the folder for data that can be downloaded again, as the operating system has it."""
    try:
        from platformdirs import user_cache_path
    except ImportError as error:
        raise MissingExtra("the cache of datasets", "train") from error
    return user_cache_path("edgedigits", appauthor=False)


def find(file: DataFile, data_dir: Path | None = None) -> Path | None:
    """Return where `file` lies, compressed or not; None if it lies nowhere. Its checksum is not looked at."""
    for root in search_roots(data_dir):
        for name in file.names:
            path = root / file.dataset / name
            # Of a folder that may not be entered, a path's own methods raise.
            if os.path.isfile(path):  # noqa: PTH113
                return path
    return None


def download_target(file: DataFile, data_dir: Path | None = None) -> Path:
    """Return where a download of `file` goes: below `data_dir` if one is named, else into the cache."""
    return (data_dir or user_cache()) / file.dataset / file.name
