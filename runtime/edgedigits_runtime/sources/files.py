"""Picture files: expand names on the command line to pictures."""

import glob
import os
import re
import sys
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from edgedigits_runtime.errors import MissingExtra, PictureError, PictureNotFound, PictureTooLarge, PictureUnreadable

STANDARD_INPUT = "-"

MOST_BYTES = 600_000_000
"""Maximum length of standard input, above that of any readable picture by default."""

SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".jp2", ".webp", ".avif", ".gif"),
    *(".tif", ".tiff", ".bmp", ".dib", ".ico", ".tga", ".pgm", ".ppm", ".pbm", ".pnm"),
)

HEIC = (".heic", ".heif", ".hif")
"""Pictures that need the [heif] extra."""

NAMED = 3
"""Names in an error message; the rest are counted."""


class Source(NamedTuple):
    """One picture to read, or the reason why there is none.

    Attributes:
        name: in messages and readings; "-" for standard input.
        content: the file's path, or the bytes of standard input; None with an error.
        error: why there is nothing to read.
    """

    name: str
    content: Path | bytes | None
    error: PictureError | None = None


def expand(sources: Iterable[str | Path]) -> Iterator[Source]:
    """Yield the pictures of all sources as they are found; a source that fails yields an error and stops no other.

    Args:
        sources: files, folders (pictures by suffix, with sub-folders, in natural order), unexpanded patterns
            (`*.png`, `**/*.png`), or "-" for standard input.
    """
    for source in sources:
        name = str(source)
        try:
            if name == STANDARD_INPUT:
                yield Source(name, _standard_input())
            elif re.match(r"https?://", name):
                yield Source(name, None, PictureNotFound(f"expected a file, got the address {name}; download it first"))
            else:
                for path in _paths(Path(source)):
                    yield Source(str(path), path)
        except PictureError as error:
            yield Source(name, None, error)
        except OSError as error:
            yield Source(name, None, PictureNotFound(f"cannot access {name}: {error.strerror or error}"))


def natural_key(path: str | Path) -> list[tuple[int, int, str]]:
    """Return a sort key that puts 2.png before 10.png."""
    parts = re.split(r"(\d+)", str(path).casefold())
    return [(1, 0, part) if index % 2 == 0 else (0, int(part), part) for index, part in enumerate(parts)]


def _paths(path: Path) -> Iterator[Path]:
    if path.is_dir():
        empty, heic = True, list[str]()
        for file in _pictures_below(path):
            empty = False
            if file.name.lower().endswith(HEIC) and not find_spec("pillow_heif"):
                # One error, because a phone's folder would give hundreds.
                heic.append(file.name)
            else:
                yield file
        if heic:
            names = ", ".join(heic[:NAMED]) + (f" and {len(heic) - NAMED} more" if len(heic) > NAMED else "")
            raise PictureUnreadable(str(MissingExtra(f"reading {len(heic)} HEIC pictures in {path} ({names})", "heif")))
        if empty:
            raise PictureNotFound(f"no pictures in the folder {path}; expected {', '.join(SUFFIXES)}")
    elif path.exists():
        yield path
    elif glob.has_magic(str(path)):
        pattern = path.relative_to(path.anchor)
        try:
            matched = [file for file in Path(path.anchor).glob(str(pattern)) if file.is_file()]
        except ValueError as error:
            raise PictureNotFound(f"no file matches {path}: {error}") from error
        # As in a shell, hidden files match only patterns that start with a dot.
        found = [file for file in matched if path.name.startswith(".") or not file.name.startswith(".")]
        if not found:
            raise PictureNotFound(f"no file matches {path}")
        yield from sorted(found, key=natural_key)
    else:
        raise PictureNotFound(f"no picture at {path}")


def _pictures_below(folder: Path) -> Iterator[Path]:
    """Yield the pictures of a folder and its sub-folders in natural order, listing one folder at a time."""
    with os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: natural_key(entry.name))
    for entry in ordered:
        # A link may lead to a parent folder.
        if entry.is_dir(follow_symlinks=False):
            yield from _pictures_below(folder / entry.name)
        elif is_pictures_name(entry.name):
            path = folder / entry.name
            if entry.is_file(follow_symlinks=False) or path.is_file():
                yield path


def is_pictures_name(name: str) -> bool:
    """Return whether a file name has a picture's suffix and is not hidden, such as macOS's "._a.png"."""
    return name.lower().endswith((*SUFFIXES, *HEIC)) and not name.startswith(".")


def _standard_input() -> bytes:
    content = sys.stdin.buffer.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise PictureTooLarge(f"standard input is longer than {MOST_BYTES:,} bytes; expected a picture")
    if not content:
        raise PictureUnreadable("standard input is empty; expected a picture")
    return content
