"""Parts and heaps of digits: what a search for digits hands on when it cut or joined wrongly.

Nobody can name one digit in them: pieces are small, and pairs that make a third digit are left out (0 and 1 touching
are a 9 or a 6, 0 on 0 is an 8).
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.components import label_components
from edgedigits_runtime.synthetic.strokes import draw_digit

Ink = NDArray[np.uint8]

# Pieces of 0, 1 and 7 are 1s too often, and those of 4 are small 4s.
_PIECES = (2, 3, 5, 6, 8, 9)
# The right halves of 3 and 8 are 3s, those of 4 and 9 are 1s.
_LEFT_OF_SEAM, _RIGHT_OF_SEAM = (0, 2, 5, 6), (0, 2, 3, 4, 5, 6, 8, 9)
_ATTEMPTS = 20


def draw_part(rng: np.random.Generator, size: int, thickness: float) -> Ink:
    """Draw a piece of a digit or several digits in one on a square canvas.

    Args:
        rng: chooses.
        size: side of the canvas in pixels.
        thickness: of the stroke in pixels; in pictures of several digits it is a share of theirs.

    Returns:
        uint8 [size, size], 0 bare to 255 full ink.
    """
    return _PARTS[rng.integers(len(_PARTS))](rng, size, thickness)


def _digit(rng: np.random.Generator, digits: tuple[int, ...], size: int, thickness: float) -> Ink:
    return draw_digit(digits[rng.integers(len(digits))], rng, size=size, thickness=min(max(thickness, 1.0), size / 4))


def _piece(rng: np.random.Generator, size: int, thickness: float) -> Ink:
    """A window on a third to a half of a digit's width and height, cut clean."""
    for _ in range(_ATTEMPTS):
        # Larger, as the window is a part of it.
        whole = cropped(_digit(rng, _PIECES, 2 * size, 1.6 * thickness))
        height, width = (max(4, round(length * rng.uniform(0.3, 0.45))) for length in whole.shape)
        top, left = rng.integers(whole.shape[0] - height + 1), rng.integers(whole.shape[1] - width + 1)
        window = whole[top : top + height, left : left + width]
        # To the right of the middle and above it, digits are made of bows that bend down, as a 7 does.
        lower_or_left = top > 0.5 * whole.shape[0] or left < 0.15 * whole.shape[1]
        if lower_or_left and not is_bar(window) and not has_hole(window):
            return centred(window, size)
    return _seam(rng, size, thickness)


def _seam(rng: np.random.Generator, size: int, thickness: float) -> Ink:
    """The right part of one digit and the left part of the next."""
    left, right = (cropped(_digit(rng, digits, size, thickness)) for digits in (_LEFT_OF_SEAM, _RIGHT_OF_SEAM))
    left = left[:, -max(3, round(left.shape[1] * rng.uniform(0.3, 0.45))) :]
    right = right[:, : max(3, round(right.shape[1] * rng.uniform(0.3, 0.45)))]
    return centred(_joined(left, right, round(rng.uniform(0.0, 0.15) * size)), size)


def _pair(rng: np.random.Generator, size: int, thickness: float) -> Ink:
    left, right = (cropped(_digit(rng, (2, 3, 4, 5, 6, 7, 8, 9), size, thickness)) for _ in "12")
    return centred(_joined(left, right, round(rng.uniform(-0.12, 0.1) * size)), size)


def _number(rng: np.random.Generator, size: int, thickness: float) -> Ink:
    digits = [cropped(_digit(rng, tuple(range(10)), size, thickness)) for _ in range(rng.integers(3, 5))]
    row = digits[0]
    for digit in digits[1:]:
        row = _joined(row, digit, round(rng.uniform(-0.02, 0.15) * size))
    return centred(row, size)


def _heap(rng: np.random.Generator, size: int, thickness: float) -> Ink:
    """Two or three different digits written over one another."""
    chosen = rng.permutation([2, 3, 4, 5, 6, 7, 8, 9])[: rng.integers(2, 4)].tolist()
    canvas = np.zeros((size, round(1.5 * size)), np.uint8)
    for digit, left in zip(chosen, np.linspace(0, size // 2, len(chosen)).astype(int).tolist(), strict=True):
        part = canvas[:, left : left + size]
        np.maximum(part, _digit(rng, (digit,), size, 0.8 * thickness), out=part)
    return centred(cropped(canvas), size)


def _stack(rng: np.random.Generator, size: int, thickness: float) -> Ink:
    """One digit above another, most with a fraction bar between."""
    above, below = (cropped(_digit(rng, (2, 3, 4, 5, 6, 7, 8, 9), size, thickness)).T for _ in "12")
    if rng.random() < 0.7:
        bar = np.full((max(2, round(thickness)), max(above.shape[1], below.shape[1])), 255, np.uint8)
        gap = round(rng.uniform(0.05, 0.2) * size)
        above = _joined(above, bar, gap)
    else:
        gap = round(rng.uniform(0.0, 0.1) * size)
    return centred(_joined(above, below, gap).T, size)


_PARTS: tuple[Callable[[np.random.Generator, int, float], Ink], ...] = (_piece, _seam, _pair, _number, _heap, _stack)


def _joined(left: Ink, right: Ink, gap: int) -> Ink:
    """Return both side by side, vertically centred, `gap` columns apart."""
    gap = max(gap, 1 - min(left.shape[1], right.shape[1]))
    height = max(left.shape[0], right.shape[0])
    both = np.zeros((height, left.shape[1] + gap + right.shape[1]), np.uint8)
    for ink, start in ((left, 0), (right, left.shape[1] + gap)):
        top = (height - ink.shape[0]) // 2
        place = both[top : top + ink.shape[0], start : start + ink.shape[1]]
        np.maximum(place, ink, out=place)
    return both


def cropped(ink: Ink) -> Ink:
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def centred(ink: Ink, size: int) -> Ink:
    """Return `ink` in the middle of a canvas of `size`, made smaller where it is too large, its edge bare."""
    factor = math.ceil(max(ink.shape) / (size - 2))
    if factor > 1:
        padded = np.pad(ink, [(0, -length % factor) for length in ink.shape]).astype(np.float64)
        rows, columns = (length // factor for length in padded.shape)
        ink = np.rint(padded.reshape(rows, factor, columns, factor).mean(axis=(1, 3))).astype(np.uint8)
    canvas = np.zeros((size, size), np.uint8)
    top, left = (size - ink.shape[0]) // 2, (size - ink.shape[1]) // 2
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return canvas


def is_bar(ink: Ink) -> bool:
    """Whether the ink is little, narrow or one bar: that is a 1 when it stands."""
    rows, columns = np.nonzero(ink > 127)
    if len(rows) < 0.12 * ink.size or np.ptp(columns) < 0.6 * np.ptp(rows):
        return True
    spread = np.linalg.eigvalsh(np.cov(np.stack([columns, rows])))
    return bool(spread[1] > 5 * spread[0])


def has_hole(ink: Ink) -> bool:
    """Whether the ink closes around bare paper: the lower half of a 6 is a 0."""
    # One more row and column of bare paper on each side joins all that is outside.
    return label_components(np.pad(ink, 1) <= 127)[1] > 1
