"""Frames: what every source of moving pictures gives, and what it has to offer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Kind = Literal["live", "video", "pictures"]
"""A live source goes on whether it is looked at or not; of a video every frame is read, each on its way to the next;
pictures have nothing to do with one another."""


@dataclass(frozen=True, eq=False)
class Shot:
    """One picture as a source gives it.

    Attributes:
        pixels: RGB, uint8 [H, W, 3].
        time: seconds since the beginning by the source's own count; None where that is when it came.
        file: the picture's file, where it has one of its own.
    """

    pixels: NDArray[np.uint8]
    time: float | None = None
    file: Path | None = None


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture on its way to the reader.

    Attributes:
        pixels: RGB, uint8 [H, W, 3].
        number: counted from 0 as they came, those included that nobody read.
        time: seconds since the first one.
        taken: when it came, on the clock.
        name: what its reading calls it.
        file: the picture's file, where it has one of its own.
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
        fps: frames a second, as the source says; 0 where it does not.
        ended: whether there is nothing more to come.
    """

    fps: float
    ended: bool

    def grab(self) -> Shot | None:
        """Wait for the next picture; None where there is none yet, or at the end.

        Raises:
            StreamLost: the source is gone.
            PictureError: this picture cannot be read; the next may.
        """

    def close(self) -> None:
        """Give the source back."""


class FrameSource(Protocol):
    """Something that frames come from.

    Attributes:
        name: what messages and readings call it.
        kind: "live", "video" or "pictures".
    """

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> Kind: ...

    def connect(self) -> Connection:
        """Open it; may be called again when the connection was lost.

        Raises:
            SourceError, MissingExtra: it cannot be opened.
        """
