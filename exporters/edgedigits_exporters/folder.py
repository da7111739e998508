"""Write a folder whole or not at all: made under another name beside its place, then renamed."""

import contextlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from edgedigits_runtime.errors import OutputNotWritable
from edgedigits_runtime.whole_files import write_whole


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
        OutputNotWritable: a folder that may not be replaced, or something that is no folder.
    """
    if path.is_dir() and not replace:
        raise OutputNotWritable(f"{path} exists and is left as it is; give another --out, or --force to replace it")
    if path.exists() and not path.is_dir():
        raise OutputNotWritable(f"{path} is a file, and a folder is written there; give another --out")


def _put(made: Path, path: Path, old: Path) -> None:
    """Rename `made` to `path`; what stands there is moved to `old` first and back if that fails."""
    if path.exists():
        path.rename(old)
    try:
        made.rename(path)
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)
