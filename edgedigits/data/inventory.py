"""What stands where: the state of a dataset's files on this machine."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from edgedigits.data.description import DataFile, Description
from edgedigits.data.locations import find
from edgedigits.data.obtain import not_found
from edgedigits_runtime.errors import ChecksumMismatch, DataError, MissingExtra

Availability = Literal["found", "incomplete", "not found", "bundled", "not installed"]


@dataclass(frozen=True)
class FileState:
    """One file of a dataset.

    Args:
        file: what is wanted.
        path: where it lies; None if it lies nowhere.
        error: what is wrong with it; None if nothing is.
    """

    file: DataFile
    path: Path | None
    error: DataError | None = None


def find_files(description: Description, data_dir: Path | None = None) -> list[FileState]:
    """Return where each file lies; none is read, so a wrong checksum stays unnoticed."""
    return [_found(file, data_dir) for file in description.files]


def verify_files(description: Description, data_dir: Path | None = None) -> list[FileState]:
    """Return where each file lies and whether its checksum is right; nothing is downloaded.

    Raises:
        MissingExtra: the dataset comes with a package that is not installed.
    """
    if availability(description, data_dir) == "not installed":
        raise MissingExtra(description.name, "train")
    return [_verified(state) for state in find_files(description, data_dir)]


def availability(description: Description, data_dir: Path | None = None) -> Availability:
    """Return whether the dataset can be loaded without a network; checksums are not looked at."""
    if description.bundled_with:
        return "bundled" if importlib.util.find_spec(description.bundled_with) else "not installed"
    found = [state.path is not None for state in find_files(description, data_dir)]
    return "found" if all(found) else "incomplete" if any(found) else "not found"


def summary(description: Description, data_dir: Path | None = None) -> dict[str, Any]:
    """Return what `data list --json` prints for a dataset: plain values, ready for JSON."""
    states = find_files(description, data_dir)
    return {
        "name": description.name,
        "about": description.about,
        "train": description.train,
        "test": description.test,
        "shape": list(description.shape),
        "classes": len(description.labels),
        "reader": description.reader,
        "state": availability(description, data_dir),
        "folders": sorted({str(state.path.parent) for state in states if state.path}),
    }


def details(description: Description, data_dir: Path | None = None) -> dict[str, Any]:
    """Return what `data info --json` prints for a dataset: the summary, the labels and each file."""
    files = [
        {
            "name": state.file.name,
            "path": str(state.path) if state.path else None,
            "bytes": state.path.stat().st_size if state.path else None,
            "md5": state.file.md5,
            "md5_of": state.file.md5_of,
            "mirrors": list(state.file.mirrors),
        }
        for state in find_files(description, data_dir)
    ]
    return {
        **summary(description, data_dir),
        "homepage": description.homepage,
        "labels": list(description.labels),
        "files": files,
    }


def _found(file: DataFile, data_dir: Path | None) -> FileState:
    path = find(file, data_dir)
    return FileState(file, path, None if path else not_found(file, data_dir))


def _verified(state: FileState) -> FileState:
    if state.path is None:
        return state
    try:
        state.file.read(state.path)
    except ChecksumMismatch as error:
        return FileState(state.file, state.path, error)
    return state
