"""One digit in view, found and framed in whole numbers: the reference of `--frame one`, which C equals bit for bit.

The reader's own way solves least squares in floating point and needs whole pictures; this one fits into 4 KB of flash.
The last step, from ink to 28x28 pixels, is reading.frame.frame_digit's without its change of unusual stroke widths.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.components import find_components
from edgedigits_runtime.reading.framed import BOX, CENTRE, SIDE
from edgedigits_runtime.reading.resampling import resized

Pixels = NDArray[np.uint8]
Whole = NDArray[np.int64]
Mask = NDArray[np.bool_]

CELLS = 96
"""A larger frame is reduced by a whole number until its longest side has at most so many cells."""

REACH = 8
"""The ground is the mean of a square around each cell; width plus height, divided by REACH, are half its side."""

ROUNDS = 2
"""The ground is taken so many times, the second time without the ink of the first."""

LEAST_CONTRAST = 12
CONTRAST_TO_NOISE = 4
GROUND_SHARE = 4
"""What differs by less than the contrast divided by this is ground."""
INK_SHARE = 3
"""What differs by the contrast divided by this or more is ink."""

LEAST_SIDE = 8
MOST_MARKS = 255
"""A frame with more beginnings of marks is noise."""
JOINED_SHARE = 16
"""Of the marks in the box of the largest, those with at least its area divided by this belong to it."""


@dataclass(frozen=True, eq=False)
class FramedDigit:
    """The digit of a frame: uint8 [28, 28], and the x, y, width and height of its ink in pixels of the frame."""

    framed: Pixels
    box: tuple[int, int, int, int]


def frame_one(grey: Pixels) -> FramedDigit | None:
    """Return the largest mark of a frame, uint8 [H, W], of either polarity; None where there is none.

    Marks that touch the rim of the frame are not whole and do not count.
    """
    step = -(-max(grey.shape) // CELLS)
    height, width = (side // step for side in grey.shape)
    if min(height, width) <= LEAST_SIDE:
        return None
    blocks = grey[: height * step, : width * step].astype(np.int64).reshape(height, step, width, step)
    cells = blocks.sum(axis=(1, 3)) // step**2
    ground: Mask = np.ones(cells.shape, bool)
    for _ in range(ROUNDS):
        away = _from_ground(cells, ground)
        contrast, noise, sign = _contrast(away, ground)
        if contrast < LEAST_CONTRAST:
            return None
        marks = INK_SHARE * sign * away >= contrast
        used, ground = ground, GROUND_SHARE * sign * away < contrast
    if contrast * noise[1] < CONTRAST_TO_NOISE * noise[0]:
        return None
    own = _largest(marks)
    if own is None:
        return None
    written = own | _around(own) & ~marks
    ink = np.where(written, np.clip((510 * sign * _from_ground(cells, used) + contrast) // (2 * contrast), 0, 255), 0)
    return _framed(ink.astype(np.uint8), step)


def _from_ground(cells: Whole, ground: Mask) -> Whole:
    """Return how much darker each cell is than the ground around it; 0 where no ground is near."""
    reach = sum(cells.shape) // REACH
    sums, counts = (_boxes(values, reach) for values in (cells * ground, ground.astype(np.int64)))
    near: Whole = (sums + counts // 2) // np.maximum(counts, 1)
    return np.where(counts > 0, near - cells, 0)


def _boxes(values: Whole, reach: int) -> Whole:
    """Return the sum of the square around each value, cut off at the rim."""
    for axis in (0, 1):
        length = values.shape[axis]
        sums = np.concatenate([np.zeros_like(values.take([0], axis)), values.cumsum(axis=axis)], axis=axis)
        at = np.arange(length)
        values = sums.take(np.minimum(at + reach + 1, length), axis) - sums.take(np.maximum(at - reach, 0), axis)
    return values


def _contrast(away: Whole, ground: Mask) -> tuple[int, tuple[int, int], int]:
    """Return the contrast of the ink, the sum and number of differences of the ground, and 1 for dark ink, else -1.

    The contrast is a mean in which faint noise hardly counts; ink is on the side that differs more.
    """
    cubes = np.abs(away) ** 3
    sides = [int(cubes[mask].sum()) for mask in (away > 0, away < 0)]
    sign = 1 if sides[0] >= sides[1] else -1
    fourths = int((cubes * np.abs(away))[sign * away > 0].sum())
    noise = int(np.abs(away)[ground].sum()), int(ground.sum())
    return fourths // max(max(sides), 1), noise, sign


def _largest(marks: Mask) -> Mask | None:
    """Return the largest mark within the frame, with the smaller ones in its box; None where there is none."""
    if _beginnings(marks) > MOST_MARKS:
        return None
    found = find_components(marks)
    top, left, bottom, right = found.boxes.T
    whole = (top > 0) & (left > 0) & (bottom < marks.shape[0]) & (right < marks.shape[1])
    whole &= bottom - top >= LEAST_SIDE
    if not whole.any():
        return None
    areas = np.where(whole, found.areas, 0)
    chosen = int(areas.argmax())
    joined = (top < bottom[chosen]) & (bottom > top[chosen]) & (left < right[chosen]) & (right > left[chosen])
    joined &= JOINED_SHARE * found.areas >= areas[chosen]
    own = np.zeros(marks.shape, bool)
    for k in np.flatnonzero(joined).tolist():
        own[top[k] : bottom[k], left[k] : right[k]] |= found.mask(k)
    return own


def _beginnings(marks: Mask) -> int:
    """Return the number of horizontal runs that touch none of the row above."""
    padded = np.pad(marks, 1)
    above = padded[:-2, :-2] | padded[:-2, 1:-1] | padded[:-2, 2:]
    starts = marks & ~padded[1:-1, :-2]
    run = starts.ravel().cumsum()
    touching = np.bincount(run, weights=(above & marks).ravel(), minlength=1)[1:]
    return int((touching == 0).sum())


def _around(mask: Mask) -> Mask:
    padded = np.pad(mask, 1)
    height, width = mask.shape
    places = [(y, x) for y in range(3) for x in range(3)]
    around: Mask = np.any([padded[y : y + height, x : x + width] for y, x in places], axis=0)
    return around


def _framed(ink: Pixels, step: int) -> FramedDigit:
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    digit = ink[top : rows[-1] + 1, left : columns[-1] + 1]
    height, width = digit.shape
    box = left * step, top * step, width * step, height * step
    longest = max(height, width)
    if longest != BOX:
        scaled = resized(digit, *(max(1, round(side * BOX / longest)) for side in (width, height))).astype(np.float32)
        digit = np.rint(scaled * (255 / max(float(scaled.max()), 1.0))).astype(np.uint8)
    weight = int(digit.sum(dtype=np.int64))
    starts = []
    for axis, length in enumerate(digit.shape):
        moment = int(digit.sum(axis=1 - axis, dtype=np.int64) @ np.arange(length))
        starts.append(min(max(((2 * CENTRE + 1) * weight - 2 * moment) // (2 * weight), 0), SIDE - length))
    framed = np.zeros((SIDE, SIDE), np.uint8)
    framed[starts[0] : starts[0] + digit.shape[0], starts[1] : starts[1] + digit.shape[1]] = digit
    return FramedDigit(framed, box)
