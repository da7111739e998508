"""Sources of frames: the interface of cameras, videos, streams and folders, and the frames they yield."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Kind = Literal["live", "video", "pictures"]
"""Live sources drop unread frames; every frame of a video is read in order; pictures are unrelated."""


@dataclass(frozen=True, eq=False)
class Shot:
    """One picture as a source yields it.

    Attributes:
        pixels: RGB, uint8 [H, W, 3].
        time: seconds from the start of a video; None for the time of capture.
        file: the picture's own file, if any.
    """

    pixels: NDArray[np.uint8]
    time: float | None = None
    file: Path | None = None


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture for the reader.

    Attributes:
        pixels: RGB, uint8 [H, W, 3].
        number: index among all captured frames, dropped ones included.
        time: seconds from the start.
        taken: time of capture on the clock.
        name: source name in its reading.
        file: the picture's own file, if any.
    """

    pixels: NDArray[np.uint8]
    number: int
    time: float
    taken: float
    name: str
    file: Path | None = None


class Connection(Protocol):
    """An opened source.

    Attributes:
        fps: frames per second as reported by the source; 0 if unknown.
        ended: whether the source has no more pictures.
    """

    fps: float
    ended: bool

    def grab(self) -> Shot | None:
        """Wait for the next picture; return None if there is none yet or the source has ended.

        Raises:
            StreamLost: the connection is lost.
            PictureError: this picture cannot be read; the next one may be readable.
        """

    def close(self) -> None:
        """Release the source."""


class FrameSource(Protocol):
    """A source of frames.

    Attributes:
        name: in messages and readings.
        kind: "live", "video" or "pictures".
    """

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> Kind: ...

    def connect(self) -> Connection:
        """Open the source; may be called again after the connection was lost.

        Raises:
            SourceError, MissingExtra: the source cannot be opened.
        """
