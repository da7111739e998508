"""Write a folder whole or not at all: under a temporary name in the same place, then renamed.

An existing folder is replaced in one step where the system can exchange two paths: on Linux and macOS, on their common
file systems. Elsewhere the path is missing for a moment; a process killed then leaves the old folder in
`.<name>-.../old`.
"""

import contextlib
import ctypes
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from edgedigits_runtime.errors import OutputNotWritable
from edgedigits_runtime.whole_files import write_whole

AT_FDCWD, RENAME_EXCHANGE = -100, 2
"""linux/fcntl.h and linux/fs.h; renameat2(2)."""
RENAME_SWAP = 2
"""sys/stdio.h of macOS; renamex_np(2)."""


@contextlib.contextmanager
def whole_folder(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield a path beside `path` for a new folder; rename it to `path` when the block ends without an error.

    Raises:
        OutputNotWritable: `path` exists and `replace` is false, or the system refused; it is unchanged.
    """
    refuse_existing(path, replace=replace)
    with contextlib.ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent)))
        except OSError as error:
            raise _not_writable(path, error) from error
        yield beside / "new"
        try:
            _put(beside / "new", path, beside / "old")
        except OSError as error:
            raise _not_writable(path, error) from error


def write_folder(path: Path, files: Mapping[str, bytes | str], *, replace: bool = False) -> Path:
    """Write files into a new folder; a name may contain folders, and str is written as UTF-8. See whole_folder."""
    with whole_folder(path, replace=replace) as made:
        for name, content in files.items():
            write_whole(made / name, content)
    return path


def refuse_existing(path: Path, *, replace: bool) -> None:
    """Check that a folder can be written at `path`, before any work.

    Raises:
        OutputNotWritable: a folder exists and `replace` is false, a file exists, or a parent cannot be entered.
    """
    try:
        exists, is_folder = path.exists(), path.is_dir()
    except OSError as error:
        raise _not_writable(path, error) from error
    if is_folder and not replace:
        raise OutputNotWritable(f"{path} exists; give another --out, or --force to replace it")
    if exists and not is_folder:
        raise OutputNotWritable(f"expected a folder, or nothing, at {path}; it is a file; give another --out")


def _put(made: Path, path: Path, old: Path) -> None:
    """Rename `made` to `path`; an existing folder is removed, or restored on an error."""
    if path.exists() and _exchange(made, path):
        return
    if path.exists():
        path.rename(old)
    try:
        made.rename(path)
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two paths in one step; return False where the system or the file system cannot."""
    names = (os.fsencode(one), os.fsencode(other))
    library = ctypes.CDLL(None) if os.name == "posix" else None
    if sys.platform == "darwin":
        return library is not None and library.renamex_np(*names, RENAME_SWAP) == 0
    renameat2 = getattr(library, "renameat2", None)
    return renameat2 is not None and renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE) == 0


def _not_writable(path: Path, error: OSError) -> OutputNotWritable:
    return OutputNotWritable(f"cannot write {path}: {error.strerror or error}")
