"""Write a folder whole or not at all: made under another name beside its place, then renamed.

One that stands there already is exchanged in one step where the system can do that: on Linux and macOS, on their usual
file systems. Elsewhere there is a moment without either, and a kill in it leaves the old one in `.<name>-.../old`.
"""

import contextlib
import ctypes
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from edgedigits_runtime.errors import OutputNotWritable
from edgedigits_runtime.whole_files import write_whole

AT_FDCWD, RENAME_EXCHANGE = -100, 2
"""linux/fcntl.h and linux/fs.h; renameat2(2)."""
RENAME_SWAP = 2
"""sys/stdio.h of macOS; renamex_np(2)."""


def write_folder(path: Path, files: Mapping[str, bytes | str], *, replace: bool = False) -> Path:
    """Write files by their name into a new folder at `path`, and return `path`.

    Args:
        files: content by name, str as UTF-8; a name may have folders in it.
        replace: whether a folder that stands there goes.

    Raises:
        OutputNotWritable: something stands at `path`, or the system refused; what stood there still does.
    """
    refuse_existing(path, replace=replace)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as beside:
            made = Path(beside) / "new"
            made.mkdir()
            for name, content in files.items():
                write_whole(made / name, content)
            _put(made, path, Path(beside) / "old")
    except OSError as error:
        raise OutputNotWritable(f"cannot write {path}: {error.strerror or error}") from error
    return path


def refuse_existing(path: Path, *, replace: bool) -> None:
    """Refuse a place that is taken, before any work is done for it.

    Raises:
        OutputNotWritable: a folder that may not be replaced, something that is no folder, or a folder above it that
            may not be entered.
    """
    try:
        exists, is_folder = path.exists(), path.is_dir()
    except OSError as error:
        raise OutputNotWritable(f"cannot write {path}: {error.strerror}") from error
    if is_folder and not replace:
        raise OutputNotWritable(f"{path} exists and is left as it is; give another --out, or --force to replace it")
    if exists and not is_folder:
        raise OutputNotWritable(f"{path} is a file, and a folder is written there; give another --out")


def _put(made: Path, path: Path, old: Path) -> None:
    """Rename `made` to `path`; what stands there goes, or comes back if that fails."""
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
    """Let two paths change places in one step; return False where the system or the file system cannot."""
    names = (os.fsencode(one), os.fsencode(other))
    library = ctypes.CDLL(None) if os.name == "posix" else None
    if sys.platform == "darwin":
        return library is not None and library.renamex_np(*names, RENAME_SWAP) == 0
    renameat2 = getattr(library, "renameat2", None)
    return renameat2 is not None and renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE) == 0
