"""Find digits and letters in a picture with the finder's network."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.engines.finder_network import FinderNetwork
from edgedigits_runtime.errors import ArrayError
from edgedigits_runtime.reading.found import Found, decode, heat_map, joined
from edgedigits_runtime.reading.letterbox import letterbox
from edgedigits_runtime.reading.resampling import resized
from edgedigits_runtime.reading.results import FinderEngine

SMALL = 12.0
"""Longest side, in pixels of the input, under which digits are looked at again in a larger input."""
WORTH = 0.5
"""Digits under SMALL, the sum of their scores, from which the second look is worth its time."""
LARGER = 2
"""Factor of the second look's side."""
LARGE = 54.0
"""Longest side, in pixels of the first input, from which what it found counts beside the second look's."""


@dataclass(frozen=True)
class Finder:
    """A network and how pictures are shown to it.

    Args:
        network: see open_finder_network.
        threshold: least score, as a digit or as a letter; None for the contract's.
        second_look: look again in a larger input where the first look finds something small.
    """

    network: FinderNetwork
    threshold: float | None = None
    second_look: bool = True

    @property
    def engine(self) -> FinderEngine:
        """What runs the network, for a reading."""
        network = self.network
        return FinderEngine(network.contract.name, network.engine, network.device, network.providers)

    def close(self) -> None:
        """Release the network's memory."""
        self.network.close()

    def find(self, pixels: NDArray[np.uint8]) -> Found:
        """Return what stands on a picture, uint8 [H, W, 3] or [H, W], the surest first; boxes end at its borders.

        Raises:
            ArrayError: another shape or dtype.
        """
        pixels = _checked(pixels)
        side = self.network.contract.side
        found = self._look(pixels, side)
        scale = side / max(pixels.shape[:2])
        sides = found.boxes[:, 2:].max(axis=1, initial=0) * scale
        if self.second_look and scale < 1 and found.scores[sides < SMALL].sum() >= WORTH:
            found = joined([found[sides >= LARGE], self._look(pixels, LARGER * side)]).best()
        return replace(found, boxes=_within(found.boxes, pixels.shape[1], pixels.shape[0]))

    def heat(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the map of a picture's first look, uint8 [H, W]: 255 times the score of a digit centred there."""
        pixels = _checked(pixels)
        boxed = letterbox(pixels, self.network.contract.side)
        scores = heat_map(self.network.outputs(boxed.pixels))
        left, top = boxed.corner
        width, height = np.rint(np.array(pixels.shape[1::-1]) * boxed.scale).astype(int)
        content = np.rint(255 * scores[top : top + height, left : left + width]).astype(np.uint8)
        return resized(content, pixels.shape[1], pixels.shape[0])

    def _look(self, pixels: NDArray[np.uint8], side: int) -> Found:
        boxed = letterbox(pixels, side)
        threshold = self.network.contract.threshold if self.threshold is None else self.threshold
        found = decode(self.network.outputs(boxed.pixels), threshold)
        centres = found.boxes[:, :2] + found.boxes[:, 2:] / 2 - np.array(boxed.corner, np.float32)
        size = np.array(pixels.shape[1::-1]) * boxed.scale
        # Nothing stands on the border that was added.
        inside = np.asarray(((centres >= 0) & (centres < size)).all(axis=1))
        return replace(found, boxes=boxed.in_picture(found.boxes))[inside]


def _checked(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture as [H, W, C]."""
    if pixels.dtype != np.uint8 or pixels.shape[2:] not in ((), (1,), (3,)) or pixels.ndim < 2 or 0 in pixels.shape:
        raise ArrayError(f"expected uint8 [H, W] or [H, W, 3]; got {pixels.dtype} {list(pixels.shape)}")
    return pixels.reshape(*pixels.shape[:2], -1)


def _within(boxes: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Return boxes cut off at the borders of a picture."""
    size = np.array([width, height], np.float32)
    low = np.clip(boxes[:, :2], 0, size - 1)
    high = np.clip(boxes[:, :2] + boxes[:, 2:], low + 1, size)
    return np.hstack([low, high - low])
