"""Get a dataset's file: find it on disk, else download it; its checksum is verified in every case."""

from pathlib import Path

from edgedigits.data.description import DataFile
from edgedigits.data.locations import ENVIRONMENT, download_target, find, search_roots
from edgedigits_runtime.errors import DataNotFound


def obtain(file: DataFile, data_dir: Path | None = None, *, download: bool = True) -> bytes:
    """Return the decompressed content of `file`, verified.

    Args:
        data_dir: looked in first; a download goes there if it is given.
        download: whether to use the network where the file is not on disk.

    Raises:
        DataNotFound: on no disk, and not downloaded.
        ChecksumMismatch: the file found, or what every mirror serves, is another one.
        OutputNotWritable: the download cannot be stored.
        MissingExtra: see locations.search_roots.
    """
    return file.read(_locate(file, data_dir, download))


def ensure(file: DataFile, data_dir: Path | None = None) -> Path:
    """Return where `file` lies, verified, downloaded first where it is missing; for errors see `obtain`."""
    path = _locate(file, data_dir, download=True)
    file.read(path)
    return path


def _locate(file: DataFile, data_dir: Path | None, download: bool) -> Path:
    path = find(file, data_dir)
    if path is not None:
        return path
    if not download:
        raise not_found(file, data_dir)
    from edgedigits.data.download import fetch

    return fetch(file, download_target(file, data_dir))


def not_found(file: DataFile, data_dir: Path | None = None) -> DataNotFound:
    """The error for a file that lies in none of the folders that are searched."""
    searched = ", ".join(str(root / file.dataset) for root in search_roots(data_dir))
    return DataNotFound(
        f"{' or '.join(file.names)} of {file.dataset} is not in {searched};"
        f" run: edgedigits data download {file.dataset}, or set {ENVIRONMENT} to the folder above"
        f" {file.dataset}/"
    )
