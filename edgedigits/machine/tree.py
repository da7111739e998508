"""Read the files in which a Linux kernel describes its machine, beneath any root: `/`, or a recorded machine."""

import re
import subprocess
from pathlib import Path

REAL = Path("/")

PROGRAM_FOLDERS = ("usr/bin", "usr/local/bin", "opt/vc/bin")
"""Folders of a board's own programs. PATH is not used, so that a recorded tree never runs this machine's programs."""

PROGRAM_SECONDS = 5.0


class Tree:
    """The files beneath a root, and those that could not be read.

    A missing file means that the machine lacks the sensor: None. A file that cannot be read, or that holds something
    else than the kernel documents, is None too and is listed in `skipped`.
    """

    def __init__(self, root: Path = REAL) -> None:
        self.root = root
        self._skipped: dict[str, None] = {}

    @property
    def skipped(self) -> tuple[str, ...]:
        """Files that exist but could not be read, each once, with the reason."""
        return tuple(self._skipped)

    def skip(self, path: str, reason: str) -> None:
        self._skipped[f"/{path}: {reason}"] = None

    def text(self, path: str) -> str | None:
        """Return a file's content without the final newline or NUL; bytes that are not UTF-8 are replaced."""
        try:
            content = (self.root / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self.skip(path, error.strerror or type(error).__name__)
            return None
        return content.decode(errors="replace").strip("\0 \t\r\n")

    def integer(self, path: str) -> int | None:
        """Return the decimal number in a file."""
        content = self.text(path)
        if content is None:
            return None
        if not re.fullmatch(r"[+-]?[0-9]{1,20}", content):
            self.skip(path, f"{content[:40]!r} is no whole number")
            return None
        return int(content)

    def link(self, path: str) -> str | None:
        """Return the target of a symbolic link."""
        try:
            return (self.root / path).readlink().as_posix()
        except OSError:
            return None

    def exists(self, path: str) -> bool:
        try:
            return (self.root / path).exists()
        except OSError:
            return False

    def paths(self, pattern: str) -> list[str]:
        """Return the matches of a glob pattern, relative to the root, cpu2 before cpu10."""
        try:
            found = [path.relative_to(self.root).as_posix() for path in self.root.glob(pattern)]
        except OSError as error:
            self.skip(pattern, error.strerror or type(error).__name__)
            return []
        return sorted(found, key=_natural_order)

    def program(self, name: str, *arguments: str) -> str | None:
        """Return the output of one of the board's programs; None if it is missing or fails."""
        paths = [f"{folder}/{name}" for folder in PROGRAM_FOLDERS if (self.root / folder / name).is_file()]
        if not paths:
            return None
        command, label = [str(self.root / paths[0]), *arguments], " ".join([paths[0], *arguments])
        try:
            done = subprocess.run(
                command, capture_output=True, timeout=PROGRAM_SECONDS, check=False, stdin=subprocess.DEVNULL
            )
        except subprocess.TimeoutExpired:
            self.skip(label, f"did not answer within {PROGRAM_SECONDS:g} s")
            return None
        except OSError as error:
            self.skip(label, error.strerror or type(error).__name__)
            return None
        if done.returncode:
            why = (done.stderr or done.stdout).decode(errors="replace").strip()
            self.skip(label, why.splitlines()[0][:120] if why else f"ended with {done.returncode}")
            return None
        return done.stdout.decode(errors="replace").strip()


def _natural_order(path: str) -> list[tuple[int, str]]:
    parts = re.split(r"([0-9]+)", path)
    return [(int(part), "") if part.isdecimal() and part.isascii() else (-1, part) for part in parts]
