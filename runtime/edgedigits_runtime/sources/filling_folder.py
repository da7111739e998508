"""A folder to watch: its pictures, and each new one once it is completely written."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from edgedigits_runtime.clock import Clock
from edgedigits_runtime.errors import PictureError, SourceUnavailable, StreamLost
from edgedigits_runtime.reading.decode import decode
from edgedigits_runtime.sources.files import is_pictures_name, natural_key
from edgedigits_runtime.sources.frame_source import Kind, Shot

POLL = 0.2
"""Seconds between two listings of the folder."""

UNCHANGED = 2.0
"""Seconds without a change after which an unreadable picture counts as damaged."""


@dataclass(frozen=True)
class FillingFolder:
    """A folder of pictures to watch for more, without sub-folders."""

    path: Path
    clock: Clock = field(default_factory=Clock)
    kind: Kind = "pictures"

    @property
    def name(self) -> str:
        return str(self.path)

    def connect(self) -> "FolderConnection":
        """Check that the folder can be listed.

        Raises:
            SourceUnavailable: it cannot.
        """
        try:
            with os.scandir(self.path):
                pass
        except OSError as error:
            raise SourceUnavailable(f"cannot list the folder {self.path}: {error.strerror or error}") from error
        return FolderConnection(self.path, self.clock)


class FolderConnection:
    """Connection to a watched folder."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.fps, self.ended = 0.0, False
        self._path, self._clock = path, clock
        self._done: set[str] = set()
        self._waiting: list[str] = []
        # Unreadable pictures: size and modification time, and when these were first seen.
        self._unreadable: dict[str, tuple[tuple[int, int], float]] = {}

    def grab(self) -> Shot | None:
        """Return the next picture, decoded; None if there is none yet.

        Raises:
            PictureError: a picture is damaged and no longer being written.
            StreamLost: the folder is gone.
        """
        if not self._waiting:
            self._waiting = self._found()
        while self._waiting:
            name = self._waiting.pop(0)
            shot = self._shot(name)
            if shot is not None:
                self._done.add(name)
                return shot
        self._clock.sleep(POLL)
        return None

    def close(self) -> None:
        """Do nothing, because nothing is open."""

    def _found(self) -> list[str]:
        try:
            with os.scandir(self._path) as entries:
                names = [entry.name for entry in entries]
        except OSError as error:
            raise StreamLost(f"the folder {self._path} is gone: {error.strerror or error}") from error
        return sorted((name for name in names if is_pictures_name(name) and name not in self._done), key=natural_key)

    def _shot(self, name: str) -> Shot | None:
        path = self._path / name
        try:
            state = path.stat()
            pixels = decode(path, channels=3)
        except OSError:  # The file was removed.
            return None
        except PictureError as error:
            error.picture = str(path)
            seen = (state.st_size, state.st_mtime_ns), self._clock.now()
            first = self._unreadable.setdefault(name, seen)
            if first[0] != seen[0]:
                self._unreadable[name] = seen
            elif seen[1] - first[1] >= UNCHANGED:
                self._done.add(name)
                raise
            return None
        return Shot(pixels, file=path)
