"""Write a file atomically: to a temporary name in the same folder, synced, then renamed, and the folder synced."""

import contextlib
import errno
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from edgedigits_runtime.errors import OutputNotWritable

# Names of _make_beside; mkstemp chooses the eight characters.
TEMPORARY = re.compile(r"\..*-[a-z0-9_]{8}\.tmp(\..*)?")


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and rename it to `path` when the block ends without an error.

    A missing folder is created. On an error the temporary file is removed and `path` keeps its content.

    Raises:
        OutputNotWritable: the folder is read-only, the disk is full, or the system refused otherwise.
    """
    temporary = _make_beside(path)
    try:
        yield temporary
        _sync(temporary)
        _give_usual_permissions(temporary)
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        # An OSError about another file is not a failed write.
        if error.filename is not None and str(error.filename) != str(temporary):
            raise
        raise _not_writable(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def remove_abandoned(folder: Path) -> None:
    """Remove the temporary files that killed processes left in a folder."""
    for path in folder.iterdir():
        if TEMPORARY.fullmatch(path.name):
            path.unlink(missing_ok=True)


def _make_beside(path: Path) -> Path:
    """Make an empty temporary file in the folder of `path`, and the folder if it is missing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Some writers choose their format by the suffix.
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=f".tmp{path.suffix}", dir=path.parent)
    except OSError as error:
        raise _not_writable(path, error) from error
    os.close(handle)
    return Path(name)


def _not_writable(path: Path, error: OSError) -> OutputNotWritable:
    return OutputNotWritable(f"cannot write {path}: {error.strerror or error}")


def write_whole(path: Path, content: bytes | str) -> Path:
    """Write `content` (str as UTF-8) to `path` atomically and return `path`."""
    with whole_file(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    """Let a new name in the folder survive a power failure, if the system can sync folders."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except PermissionError:
        return  # Windows opens no folders, and a folder can be writable but not readable.
    try:
        os.fsync(handle)
    except OSError as error:
        # Some file systems, such as network shares, cannot sync folders.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(handle)


def _give_usual_permissions(path: Path) -> None:
    """Give the file the usual permissions; mkstemp makes it private."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)
