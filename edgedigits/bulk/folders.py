"""The folder that a bulk reading writes to: on this machine, or wherever fsspec writes; every file in it is whole."""

import contextlib
import glob
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

from edgedigits.bulk.addresses import filesystem, is_remote, opened
from edgedigits_runtime.errors import EdgedigitsError, OutputNotWritable, SourceNotFound

TEMPORARY = "_temporary"
"""The folder of what is being written; what a killed process left there goes when the run is done."""


class Folder(Protocol):
    """What both kinds of folders can do; names may have one folder before them, as in `_plan/000000.parquet`."""

    address: str

    def names(self, below: str = "") -> list[str]:
        """Return the names of files and folders; none where there is no folder."""

    def open(self, name: str) -> contextlib.AbstractContextManager[IO[bytes]]:
        """Open a file to read; SourceNotFound where there is none."""

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all."""

    def being_written(self, name: str) -> contextlib.AbstractContextManager[Path]:
        """Give a path on this machine to write to, which becomes the file, whole or not at all."""

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with what is in it, where it is there."""


def open_folder(address: str) -> Folder:
    """Return the folder at an address; it is made with the first file."""
    return RemoteFolder(address.rstrip("/")) if is_remote(address) else LocalFolder(address)


def can_be_locked(folder: Folder) -> bool:
    """Say whether a lock can keep others from writing to a folder: not in a store, nor on Windows."""
    return isinstance(folder, LocalFolder) and os.name == "posix"


def content_of(folder: Folder, name: str) -> bytes | None:
    """Return the bytes of a file, or None where there is none."""
    try:
        with folder.open(name) as file:
            return file.read()
    except SourceNotFound:
        return None


class LocalFolder:
    """A folder on this machine, or one that all machines of a cluster see at the same path."""

    def __init__(self, address: str) -> None:
        self.address = os.path.abspath(address)  # noqa: PTH100  # links stay as they are
        self._path = Path(self.address)

    def names(self, below: str = "") -> list[str]:
        try:
            return sorted(os.listdir(self._path / below))  # noqa: PTH208  # names alone
        except FileNotFoundError:
            return []
        except OSError as error:
            raise OutputNotWritable(f"cannot look into {self._path / below}: {error.strerror or error}") from error

    def open(self, name: str) -> contextlib.AbstractContextManager[IO[bytes]]:
        return opened(str(self._path / name))

    def write(self, name: str, content: bytes) -> None:
        with self.being_written(name) as path:
            path.write_bytes(content)

    @contextlib.contextmanager
    def being_written(self, name: str) -> Iterator[Path]:
        path = self._path / name
        temporary = self._path / TEMPORARY / f"{path.name}-{uuid.uuid4().hex}"
        try:
            temporary.parent.mkdir(parents=True, exist_ok=True)
            path.parent.mkdir(exist_ok=True)
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
            _sync_folder(path.parent)
        except OSError as error:
            if error.filename is not None and str(self._path) not in str(error.filename):
                raise
            raise OutputNotWritable(f"cannot write {path}: {error.strerror or error}") from error
        finally:
            temporary.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        import shutil

        path = self._path / name
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _sync_folder(path: Path) -> None:
    """Make a new name last through a power cut, where folders can be opened."""
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class RemoteFolder:
    """A folder of a store whose uploads appear whole, as those of S3 and its kin do."""

    def __init__(self, address: str) -> None:
        self.address = address

    def names(self, below: str = "") -> list[str]:
        path = self._path(below)
        with self._said(path):
            try:
                found = filesystem(self.address).ls(path, detail=False)
            except FileNotFoundError:
                return []
        return sorted(name.rstrip("/").rpartition("/")[2] for name in found if name.rstrip("/") != _bare(path))

    def open(self, name: str) -> contextlib.AbstractContextManager[IO[bytes]]:
        return opened(self._path(name))

    def write(self, name: str, content: bytes) -> None:
        path = self._path(name)
        with self._said(path):
            filesystem(self.address).pipe_file(path, content)

    @contextlib.contextmanager
    def being_written(self, name: str) -> Iterator[Path]:
        path = self._path(name)
        with tempfile.TemporaryDirectory(prefix="edgedigits-") as folder:
            temporary = Path(folder) / "part"
            yield temporary
            with self._said(path):
                filesystem(self.address).put_file(str(temporary), path)

    def remove(self, name: str) -> None:
        path = self._path(name)
        with self._said(path), contextlib.suppress(FileNotFoundError):
            # Of these methods it is the one that takes its path for a pattern.
            filesystem(self.address).rm(glob.escape(path), recursive=True)

    def _path(self, name: str) -> str:
        return f"{self.address}/{name}" if name else self.address

    @contextlib.contextmanager
    def _said(self, path: str) -> Iterator[None]:
        try:
            yield
        except EdgedigitsError:
            raise
        # Every file system of fsspec has errors of its own, such as botocore's.
        except Exception as error:
            line = " ".join(str(error).split()) or type(error).__name__
            raise OutputNotWritable(f"cannot write {path}: {line}") from error


def _bare(address: str) -> str:
    return address.partition("://")[2]
