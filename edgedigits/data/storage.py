"""Find, download, verify and list the files of datasets on this machine.

A file is at <root>/<dataset>/<name>. The roots are the caller's folder, the one in EDGEDIGITS_DATA and the user's
cache, in this order.
"""

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_cache_path

from edgedigits.data.description import ENVIRONMENT, DataFile, DataFolder, Description
from edgedigits_runtime.errors import ChecksumMismatch, DataError, DataNotFound, MissingExtra

Availability = Literal["found", "incomplete", "not found", "bundled", "not installed"]


@dataclass(frozen=True)
class FileState:
    """One file of a dataset.

    Args:
        file: the published file.
        path: its path on disk; None if it is not found.
        error: why it cannot be used; None if it can.
    """

    file: DataFile | DataFolder
    path: Path | None
    error: DataError | None = None


def user_cache() -> Path:
    """Return the user's cache folder for edgedigits."""
    return user_cache_path("edgedigits", appauthor=False)


def search_roots(data_dir: Path | None = None) -> tuple[Path, ...]:
    """Return the folders to search, in order; they may be missing."""
    named = [data_dir, os.environ.get(ENVIRONMENT)]
    return (*(Path(root) for root in named if root), user_cache())


def find(file: DataFile | DataFolder, data_dir: Path | None = None) -> Path | None:
    """Return the path of `file`, compressed or not; None if it is not found. Its checksum is not verified."""
    for root in search_roots(data_dir):
        for name in file.names:
            path = root / file.dataset / name
            # Path.is_file raises in a folder without permission.
            if os.path.isfile(path) if isinstance(file, DataFile) else os.path.isdir(path):  # noqa: PTH112, PTH113
                return path
    return None


def read_file(file: DataFile, data_dir: Path | None = None, *, download: bool = True) -> bytes:
    """Return the decompressed content of `file`, verified.

    Args:
        data_dir: searched first; a download goes there if given, else into the user's cache.
        download: download a missing file.

    Raises:
        DataNotFound: not on disk, and not downloaded.
        ChecksumMismatch: the file on disk, or that of every mirror, is another one.
        OutputNotWritable: the download cannot be stored.
    """
    return file.read(_locate(file, data_dir, download))


def read_folder(folder: DataFolder, data_dir: Path | None = None, *, download: bool = True) -> dict[str, bytes]:
    """Return the content of each file of `folder`, verified; for arguments and errors see `read_file`."""
    return folder.read(_locate(folder, data_dir, download))


def ensure(file: DataFile | DataFolder, data_dir: Path | None = None) -> Path:
    """Return the path of `file`, downloaded if missing, and verified; for errors see `read_file`."""
    path = _locate(file, data_dir, download=True)
    file.read(path)
    return path


def _locate(file: DataFile | DataFolder, data_dir: Path | None, download: bool) -> Path:
    if (path := find(file, data_dir)) is not None:
        return path
    if not download:
        raise _not_found(file, data_dir)
    from edgedigits.data.download import fetch, fetch_folder

    target = (data_dir or user_cache()) / file.dataset / file.name
    return fetch(file, target) if isinstance(file, DataFile) else fetch_folder(file, target)


def _not_found(file: DataFile | DataFolder, data_dir: Path | None) -> DataNotFound:
    searched = ", ".join(str(root / file.dataset) for root in search_roots(data_dir))
    return DataNotFound(
        f"{' or '.join(file.names)} of {file.dataset} is not in {searched}; run:"
        f" edgedigits data download {file.dataset}, or set {ENVIRONMENT} to the parent folder of {file.dataset}/"
    )


def find_files(description: Description, data_dir: Path | None = None) -> list[FileState]:
    """Return the state of each file; checksums are not verified."""
    paths = [(file, find(file, data_dir)) for file in description.published]
    return [FileState(file, path, None if path else _not_found(file, data_dir)) for file, path in paths]


def verify_files(description: Description, data_dir: Path | None = None) -> list[FileState]:
    """Return the state of each file, with its checksum verified; nothing is downloaded.

    Raises:
        MissingExtra: the dataset is part of a package that is not installed.
    """
    if availability(description, data_dir) == "not installed":
        raise MissingExtra(description.name, "train-cpu")
    return [_verified(state) for state in find_files(description, data_dir)]


def _verified(state: FileState) -> FileState:
    try:
        if state.path is not None:
            state.file.read(state.path)
    except ChecksumMismatch as error:
        return FileState(state.file, state.path, error)
    return state


def availability(description: Description, data_dir: Path | None = None) -> Availability:
    """Return whether the dataset can be loaded offline; checksums are not verified."""
    if description.bundled_with:
        return "bundled" if importlib.util.find_spec(description.bundled_with) else "not installed"
    found = [find(file, data_dir) is not None for file in description.published]
    return "found" if all(found) else "incomplete" if any(found) else "not found"


def summary(description: Description, data_dir: Path | None = None) -> dict[str, Any]:
    """Return the object that `data list --json` prints for a dataset."""
    paths = [path for file in description.published if (path := find(file, data_dir))]
    return {
        "name": description.name,
        "about": description.about,
        "train": description.train,
        "test": description.test,
        "shape": list(description.shape),
        "classes": len(description.labels),
        "reader": description.reader,
        "licence": description.licence,
        "state": availability(description, data_dir),
        "folders": sorted({str(path.parent) for path in paths}),
    }


def details(description: Description, data_dir: Path | None = None) -> dict[str, Any]:
    """Return the object that `data info --json` prints for a dataset: the summary, the labels and the files."""
    files = [
        {
            "name": state.file.name,
            "path": str(state.path) if state.path else None,
            "bytes": _size(state.path) if state.path else None,
            "checksum": state.file.checksum,
            "checksum_of": state.file.checksum_of,
            "mirrors": list(state.file.mirrors),
        }
        for state in find_files(description, data_dir)
    ]
    more = {"homepage": description.homepage, "labels": list(description.labels), "files": files}
    return {**summary(description, data_dir), **more}


def _size(path: Path) -> int:
    """Return the bytes of a file, or of the files in a folder."""
    return sum(file.stat().st_size for file in ([path] if path.is_file() else path.iterdir()))
