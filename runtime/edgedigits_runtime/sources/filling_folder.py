"""A folder that is being filled: its pictures, and each that comes, once it is written to its end."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from edgedigits_runtime.clock import Clock
from edgedigits_runtime.errors import PictureError, SourceUnavailable, StreamLost
from edgedigits_runtime.reading.decode import decode
from edgedigits_runtime.sources.files import is_pictures_name, natural_key
from edgedigits_runtime.sources.frame_source import Kind, Shot

LOOK = 0.2
"""Seconds between two looks into the folder."""

PATIENCE = 2.0
"""Seconds in which a picture that cannot be read did not change before it counts as damaged."""


@dataclass(frozen=True)
class FillingFolder:
    """A folder of pictures, watched for more. Sub-folders are left alone."""

    path: Path
    clock: Clock = field(default_factory=Clock)
    kind: Kind = "pictures"

    @property
    def name(self) -> str:
        return str(self.path)

    def connect(self) -> "FolderConnection":
        """Look into the folder.

        Raises:
            SourceUnavailable: it may not be read.
        """
        try:
            with os.scandir(self.path):
                pass
        except OSError as error:
            raise SourceUnavailable(f"cannot look into {self.path}: {error.strerror or error}") from error
        return FolderConnection(self.path, self.clock)


class FolderConnection:
    """A watched folder as a Connection."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.fps, self.ended = 0.0, False
        self._path, self._clock = path, clock
        self._done: set[str] = set()
        self._waiting: list[str] = []
        # Of pictures that could not be read: size and time of change, and when that was first seen so.
        self._doubtful: dict[str, tuple[tuple[int, int], float]] = {}

    def grab(self) -> Shot | None:
        """Return the next picture, decoded; None where none came while it looked.

        Raises:
            PictureError: a picture is damaged, and nobody writes to it any more.
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
        self._clock.sleep(LOOK)
        return None

    def close(self) -> None:
        """Nothing is held open."""

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
        except OSError:  # It was taken away again.
            return None
        except PictureError as error:
            error.picture = str(path)
            seen = (state.st_size, state.st_mtime_ns), self._clock.now()
            first = self._doubtful.setdefault(name, seen)
            if first[0] != seen[0]:
                self._doubtful[name] = seen
            elif seen[1] - first[1] >= PATIENCE:
                self._done.add(name)
                raise
            return None
        return Shot(pixels, file=path)
