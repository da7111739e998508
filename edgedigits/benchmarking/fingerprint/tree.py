"""Reading the files in which a kernel tells of its machine, beneath any root: the machine itself, or a recorded one."""

import re
import subprocess
from pathlib import Path, PurePosixPath

REAL = Path("/")

PROGRAM_FOLDERS = ("usr/bin", "usr/local/bin", "opt/vc/bin")
"""Where a board's own programs stand. PATH is not asked, so that a recorded tree is never mixed with this machine."""

PROGRAM_SECONDS = 5.0


class Tree:
    """The files beneath a root, and what of them could not be read.

    A file that is not there means a sensor that the machine has not: None. One that is there and cannot be read, or
    holds something else than the kernel documents, is None too and is noted in `skipped`.
    """

    def __init__(self, root: Path = REAL) -> None:
        self.root = root
        self._skipped: dict[str, None] = {}

    @property
    def skipped(self) -> tuple[str, ...]:
        """What was there and could not be read, with the reason, each once."""
        return tuple(self._skipped)

    def skip(self, path: str, reason: str) -> None:
        """Note what was not read, and why."""
        self._skipped[f"/{path}: {reason}"] = None

    def text(self, path: str) -> str | None:
        """Return what a file holds, without the newline or NUL at its end; bytes that are no UTF-8 are replaced."""
        try:
            held = (self.root / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self.skip(path, error.strerror or type(error).__name__)
            return None
        return held.decode(errors="replace").strip("\0 \t\r\n")

    def integer(self, path: str) -> int | None:
        """Return the decimal number that a file holds."""
        held = self.text(path)
        if held is None:
            return None
        if not re.fullmatch(r"[+-]?[0-9]{1,20}", held):
            self.skip(path, f"{held[:40]!r} is no whole number")
            return None
        return int(held)

    def link(self, path: str) -> str | None:
        """Return what a symbolic link points to."""
        try:
            return (self.root / path).readlink().as_posix()
        except OSError:
            return None

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there; one that may not be looked at is not."""
        try:
            return (self.root / path).exists()
        except OSError:
            return False

    def paths(self, pattern: str) -> list[str]:
        """Return what matches, relative to the root, cpu2 before cpu10."""
        try:
            found = [path.relative_to(self.root).as_posix() for path in self.root.glob(pattern)]
        except OSError as error:
            self.skip(pattern, error.strerror or type(error).__name__)
            return []
        return sorted(found, key=_by_number)

    def program(self, name: str, *arguments: str) -> str | None:
        """Return what a program of the board prints; None where the board has no such program, or it failed."""
        for folder in PROGRAM_FOLDERS:
            path = self.root / folder / name
            if path.is_file():
                return self._run(PurePosixPath(folder, name).as_posix(), [str(path), *arguments])
        return None

    def _run(self, path: str, command: list[str]) -> str | None:
        said = " ".join([path, *command[1:]])
        try:
            done = subprocess.run(
                command, capture_output=True, timeout=PROGRAM_SECONDS, check=False, stdin=subprocess.DEVNULL
            )
        except subprocess.TimeoutExpired:
            self.skip(said, f"did not answer within {PROGRAM_SECONDS:g} s")
            return None
        except OSError as error:
            self.skip(said, error.strerror or type(error).__name__)
            return None
        if done.returncode:
            why = (done.stderr or done.stdout).decode(errors="replace").strip()
            self.skip(said, why.splitlines()[0][:120] if why else f"ended with {done.returncode}")
            return None
        return done.stdout.decode(errors="replace").strip()


def _by_number(path: str) -> list[tuple[int, str]]:
    return [
        (int(part), "") if part.isdecimal() and part.isascii() else (-1, part) for part in re.split(r"([0-9]+)", path)
    ]
