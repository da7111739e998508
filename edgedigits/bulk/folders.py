"""The output folder: local, or anywhere that fsspec can write. Files are written whole or not at all."""

import contextlib
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from edgedigits.bulk.addresses import filesystem, is_remote, one_line, opened
from edgedigits_runtime.errors import EdgedigitsError, OutputNotWritable, SourceNotFound
from edgedigits_runtime.whole_files import remove_abandoned, whole_file, write_whole


class LocalFolder:
    """A folder of this machine, or one that all machines of a cluster share.

    A name may contain one folder, as in `_plan/000000.parquet`.
    """

    def __init__(self, address: str) -> None:
        self.address = os.path.abspath(address)  # noqa: PTH100  # keeps links
        self._path = Path(self.address)

    def names(self) -> list[str]:
        """Return the names of files and folders; empty if the folder does not exist."""
        try:
            return sorted(os.listdir(self._path))  # noqa: PTH208  # names alone
        except FileNotFoundError:
            return []
        except OSError as error:
            raise OutputNotWritable(f"cannot list {self._path}: {error.strerror or error}") from error

    def open(self, name: str) -> contextlib.AbstractContextManager[IO[bytes]]:
        """Open a file for reading; raises SourceNotFound if it does not exist."""
        return opened(str(self._path / name))

    def write(self, name: str, content: bytes) -> None:
        """Write a file."""
        write_whole(self._path / name, content)

    def being_written(self, name: str) -> contextlib.AbstractContextManager[Path]:
        """Yield a local path that becomes the file at the end."""
        return whole_file(self._path / name)

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with its content, if it exists."""
        path = self._path / name
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def remove_abandoned(self) -> None:
        """Remove the unfinished files of killed processes."""
        remove_abandoned(self._path)


class RemoteFolder:
    """A folder of a store with atomic uploads, such as S3. The methods are those of LocalFolder."""

    def __init__(self, address: str) -> None:
        self.address = address

    def names(self) -> list[str]:
        with _writable(self.address):
            try:
                found = filesystem(self.address).ls(self.address, detail=False)
            except FileNotFoundError:
                return []
        own = self.address.partition("://")[2]
        return sorted(name.rstrip("/").rpartition("/")[2] for name in found if name.rstrip("/") != own)

    def open(self, name: str) -> contextlib.AbstractContextManager[IO[bytes]]:
        return opened(self._path(name))

    def write(self, name: str, content: bytes) -> None:
        with _writable(self._path(name)) as path:
            filesystem(self.address).pipe_file(path, content)

    @contextlib.contextmanager
    def being_written(self, name: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="edgedigits-") as folder:
            temporary = Path(folder) / "part"
            yield temporary
            with _writable(self._path(name)) as path:
                filesystem(self.address).put_file(str(temporary), path)

    def remove(self, name: str) -> None:
        with _writable(self._path(name)) as path, contextlib.suppress(FileNotFoundError):
            # Unlike the other methods, `rm` treats its path as a pattern.
            filesystem(self.address).rm(glob.escape(path), recursive=True)

    def remove_abandoned(self) -> None:
        """Nothing to do: unfinished uploads do not appear."""

    def _path(self, name: str) -> str:
        return f"{self.address}/{name}"


Folder = LocalFolder | RemoteFolder


def open_folder(address: str) -> Folder:
    """Return the folder at an address; it is made with the first file."""
    return RemoteFolder(address.rstrip("/")) if is_remote(address) else LocalFolder(address)


def can_be_locked(folder: Folder) -> bool:
    """Return whether a lock can protect the folder: not in a store, nor on Windows."""
    return isinstance(folder, LocalFolder) and os.name == "posix"


def content_of(folder: Folder, name: str) -> bytes | None:
    """Return the bytes of a file, or None if it does not exist."""
    try:
        with folder.open(name) as file:
            return file.read()
    except SourceNotFound:
        return None


@contextlib.contextmanager
def _writable(path: str) -> Iterator[str]:
    """Turn the exceptions of a file system, such as botocore's, into OutputNotWritable."""
    try:
        yield path
    except EdgedigitsError:
        raise
    except Exception as error:
        raise OutputNotWritable(f"cannot write {path}: {one_line(error)}") from error
