"""Windows of a picture around found boxes, each on a canvas of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Whole = NDArray[np.int64]
Mask = NDArray[np.bool_]
Pixels = NDArray[np.uint8]

DETAIL = 40  # Larger boxes are reduced, by whole numbers, until their longest side is no longer than this.
# The rim around a box, as a fraction of its longest side, and at least in pixels of the canvas.
MARGIN = 0.15
LEAST_MARGIN = 3
GROWN = 0.08  # A box may be too small by this fraction of its longest side.
WORTH = 50_000  # To reduce one window alone takes as long as so many pixels of the whole picture.
# Canvases are processed together: more than TOGETHER leave the processor's cache. Of more than AT_LEAST the largest is
# at most ALIKE times as wide as the smallest.
TOGETHER = 64
AT_LEAST = 8
ALIKE = 1.3


@dataclass(frozen=True, eq=False)
class Windows:
    """Boxes and the windows around them, in picture pixels.

    Attributes:
        low, high: float64 [N, 2], the upper left and lower right corners of the boxes, x and y.
        start, end: int64 [N, 2], those of the windows.
        factor: int64 [N], picture pixels per canvas pixel.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    start: Whole
    end: Whole
    factor: Whole

    @property
    def size(self) -> Whole:
        """Return the widths and heights on the canvas, int64 [N, 2]."""
        size: Whole = -(-(self.end - self.start) // self.factor[:, np.newaxis])
        return size

    @property
    def outer(self) -> Whole:
        """Return the smallest boxes of whole pixels around the boxes, int64 [N, 4]."""
        low = np.floor(self.low).astype(np.int64)
        return np.concatenate([low, np.ceil(self.high).astype(np.int64) - low], axis=1)

    def part(self, index: Whole) -> "Windows":
        return Windows(self.low[index], self.high[index], self.start[index], self.end[index], self.factor[index])

    def others(self, index: Whole) -> tuple[Whole, "Windows"]:
        """Return the boxes that reach into the windows of `index`: their place in it, ascending, and boxes.

        Their start and factor are those of the window that they reach into.
        """
        reach = (self.low < self.end[index, np.newaxis]) & (self.high > self.start[index, np.newaxis])
        meet = np.logical_and.reduce(reach, axis=2)
        meet[np.arange(len(index)), index] = False
        place, other = np.nonzero(meet)
        on = index[place]
        return place, Windows(self.low[other], self.high[other], self.start[on], self.end[on], self.factor[on])

    def on_canvas(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Convert points x and y, [N, 2], one for each window, to pixels of its canvas."""
        converted: NDArray[np.float64] = (points - self.start) / self.factor[:, np.newaxis]
        return converted


def windows_of(boxes: NDArray[np.float64], size: tuple[int, int]) -> Windows:
    """Return the windows of boxes [N, 4] in a picture of width and height `size`."""
    # At least one pixel of every box is in the picture.
    low = np.clip(boxes[:, :2], 0, np.array(size) - 1.0)
    high = np.clip(boxes[:, :2] + boxes[:, 2:], low + 1, size)
    longest = (high - low).max(axis=1)
    factor = np.maximum(np.ceil(longest / DETAIL), 1).astype(np.int64)
    margin = np.maximum(MARGIN * longest, LEAST_MARGIN * factor)[:, np.newaxis]
    # Whole blocks of the picture, so that it may be reduced once for many windows.
    blocks = factor[:, np.newaxis]
    start = np.maximum(np.floor((low - margin) / blocks), 0).astype(np.int64) * blocks
    end = np.minimum(np.ceil((high + margin) / blocks).astype(np.int64) * blocks, size)
    return Windows(low, high, start, end, factor)


def batches(sides: Whole) -> Iterator[Whole]:
    """Yield the indices of windows with these longest sides, int64 [N], in batches of about one size."""
    order = np.argsort(sides, kind="stable")
    first = 0
    while first < len(order):
        last = np.searchsorted(sides[order], ALIKE * sides[order[first]], side="right")
        end = min(max(int(last), first + AT_LEAST), first + TOGETHER)
        yield np.sort(order[first:end])
        first = end


class Reductions:
    """A picture, uint8 [H, W, C], reduced by the factors of windows: the whole of it where many windows need it."""

    def __init__(self, pixels: Pixels, windows: Windows) -> None:
        self._whole = {1: pixels}
        for factor in np.flatnonzero(WORTH * np.bincount(windows.factor) > pixels.shape[0] * pixels.shape[1]).tolist():
            self._whole[factor] = _reduced(pixels, factor)

    def part(self, left: int, top: int, right: int, bottom: int, factor: int) -> Pixels:
        """Return a part, reduced; its corner is on a whole block."""
        if factor not in self._whole:
            return _reduced(self._whole[1][top:bottom, left:right], factor)
        rows, columns = slice(top // factor, -(-bottom // factor)), slice(left // factor, -(-right // factor))
        return self._whole[factor][rows, columns]


class Canvases:
    """Windows of a picture, each in the upper left corner of a canvas, and their masks.

    Attributes:
        pixels: uint8 [N, S, S, C]; 0 outside the window.
        window, box, grown: bool [N, S, S], the pixels of the window, the box, and the grown box.
        windows: see Windows.
    """

    def __init__(self, picture: Reductions, windows: Windows) -> None:
        count, side = len(windows.factor), int(windows.size.max())
        self.windows = windows
        corners = np.concatenate([windows.start, windows.end, windows.factor[:, np.newaxis]], axis=1)
        parts = [picture.part(*each) for each in corners.tolist()]
        self.pixels = np.zeros((count, side, side, parts[0].shape[2]), np.uint8)
        for canvas, part in zip(self.pixels, parts, strict=True):
            canvas[: part.shape[0], : part.shape[1]] = part
        low, high = windows.on_canvas(windows.low), windows.on_canvas(windows.high)
        reach = GROWN * (high - low).max(axis=1, keepdims=True)
        self.window = rectangles(np.zeros_like(low), windows.size, side)
        self.box = rectangles(low, high, side) & self.window
        self.grown = rectangles(low - reach, high + reach, side) & self.window


def _reduced(part: Pixels, factor: int) -> Pixels:
    """Return a part of a picture, uint8 [h, w, C], as means of blocks of factor x factor pixels."""
    if factor == 1:
        return part
    small = np.asarray(Image.fromarray(part if part.shape[2] == 3 else part[..., 0]).reduce(factor))
    return small.reshape(*small.shape[:2], -1)


def rectangles(low: NDArray[np.float64], high: NDArray[Any], side: int) -> Mask:
    """Return masks, bool [N, side, side], of the pixels whose centres are between corners, [N, 2] as x and y."""
    at = np.arange(side) + 0.5
    columns, rows = ((at > low[:, [axis]]) & (at < high[:, [axis]]) for axis in (0, 1))
    mask: Mask = rows[:, :, np.newaxis] & columns[:, np.newaxis]
    return mask
