"""Fragments of digits and letters, and clusters of digits: the crops of a segmentation that cut or joined wrongly.

No fragment shows exactly one digit. Combinations that look like one are left out: 0 beside 1 (9 or 6), 0 on 0 (8).
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.components import find_components
from edgedigits_runtime.synthetic.digit_styles import Glyph
from edgedigits_runtime.synthetic.handwriting import draw_digit, ink_traces, place_traces, write_symbol
from edgedigits_runtime.synthetic.letters import CYRILLIC, GREEK, LETTERS

Ink = NDArray[np.uint8]
DrawFragment = Callable[[np.random.Generator, int, float], Ink]

# Pieces of 0, 1 and 7 often look like a 1, pieces of 4 like a small 4.
_PIECES = (2, 3, 5, 6, 8, 9)
# The right halves of 3 and 8 look like a 3, those of 4 and 9 like a 1.
_LEFT_OF_SEAM, _RIGHT_OF_SEAM = (0, 2, 5, 6), (0, 2, 3, 4, 5, 6, 8, 9)
_WITHOUT_0_AND_1 = (2, 3, 4, 5, 6, 7, 8, 9)

# Other halves look like digits: H M N mu like 1, T pi like 7, beta like 3, Omega like 2, psi like 4.
_LEFT_HALVES: tuple[tuple[Glyph, ...], ...] = (
    *(LETTERS[name] for name in "EFLPWem"),
    *(GREEK[name] for name in ("theta", "kappa", "Gamma", "Xi", "Sigma")),
    *(CYRILLIC[name] for name in ("sha", "tse", "yu")),
)
_RIGHT_HALVES: tuple[tuple[Glyph, ...], ...] = (
    *(LETTERS[name] for name in "EFKXkx"),
    *(GREEK[name] for name in ("alpha", "kappa", "chi", "Xi", "Sigma")),
    CYRILLIC["zhe"],
)
_PIECE_ATTEMPTS, _HALF_ATTEMPTS = 20, 8


def draw_fragment(rng: np.random.Generator, size: int, thickness: float) -> Ink:
    """Draw a piece of a digit, or several digits as one, on a square canvas: uint8 [size, size], 255 full ink."""
    return _FRAGMENTS[rng.integers(len(_FRAGMENTS))](rng, size, thickness)


def draw_letter_half(rng: np.random.Generator, size: int, thickness: float) -> Ink:
    """Draw the left or right half of a letter, cut vertically, on a square canvas: uint8 [size, size], 255 full ink."""
    for _ in range(_HALF_ATTEMPTS):
        left = rng.random() < 0.5
        halves = _LEFT_HALVES if left else _RIGHT_HALVES
        glyphs = halves[rng.integers(len(halves))]
        traces = write_symbol(glyphs[rng.integers(len(glyphs))], rng, slant=0.05)
        whole = ink_traces(place_traces(traces, size, thickness, rng), size, thickness, rng, supersampling=3, discs=6.0)
        letter = _cropped(whole)
        seam = round(letter.shape[1] * rng.uniform(0.4, 0.6))
        half = letter[:, :seam] if left else letter[:, seam:]
        # A thick pen turns some halves into a bar, which looks like a 1.
        if _is_open(half):
            return _centred(_cropped(half), size)
    return whole


def _is_open(half: Ink) -> bool:
    """Return whether the ink is wide and sparse enough not to look like a bar."""
    rows, columns = np.nonzero(half > 127)
    if not len(rows):
        return False
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    return bool(width > 0.35 * height and len(rows) < 0.7 * width * height)


def _digit(rng: np.random.Generator, digits: tuple[int, ...], size: int, thickness: float) -> Ink:
    return draw_digit(digits[rng.integers(len(digits))], rng, size=size, thickness=min(max(thickness, 1.0), size / 4))


def _piece(rng: np.random.Generator, size: int, thickness: float) -> Ink:
    """Cut a window of a third to a half of a digit's width and height."""
    for _ in range(_PIECE_ATTEMPTS):
        # Drawn larger, because the window is only a part of it.
        whole = _cropped(_digit(rng, _PIECES, 2 * size, 1.6 * thickness))
        height, width = (max(4, round(length * rng.uniform(0.3, 0.45))) for length in whole.shape)
        top, left = rng.integers(whole.shape[0] - height + 1), rng.integers(whole.shape[1] - width + 1)
        window = whole[top : top + height, left : left + width]
        # The upper right of most digits bends downwards like a 7.
        lower_or_left = top > 0.5 * whole.shape[0] or left < 0.15 * whole.shape[1]
        if lower_or_left and not _is_bar(window) and not _has_hole(window):
            return _centred(window, size)
    return _seam(rng, size, thickness)


def _seam(rng: np.random.Generator, size: int, thickness: float) -> Ink:
    """Join the right part of one digit and the left part of the next."""
    left, right = (_cropped(_digit(rng, digits, size, thickness)) for digits in (_LEFT_OF_SEAM, _RIGHT_OF_SEAM))
    left = left[:, -max(3, round(left.shape[1] * rng.uniform(0.3, 0.45))) :]
    right = right[:, : max(3, round(right.shape[1] * rng.uniform(0.3, 0.45)))]
    return _centred(_joined(left, right, round(rng.uniform(0.0, 0.15) * size)), size)


def _pair(rng: np.random.Generator, size: int, thickness: float) -> Ink:
    left, right = (_cropped(_digit(rng, _WITHOUT_0_AND_1, size, thickness)) for _ in "12")
    return _centred(_joined(left, right, round(rng.uniform(-0.12, 0.1) * size)), size)


def _number(rng: np.random.Generator, size: int, thickness: float) -> Ink:
    digits = [_cropped(_digit(rng, tuple(range(10)), size, thickness)) for _ in range(rng.integers(3, 5))]
    row = digits[0]
    for digit in digits[1:]:
        row = _joined(row, digit, round(rng.uniform(-0.02, 0.15) * size))
    return _centred(row, size)


def _heap(rng: np.random.Generator, size: int, thickness: float) -> Ink:
    """Draw two or three different digits over one another."""
    chosen = rng.permutation(list(_WITHOUT_0_AND_1))[: rng.integers(2, 4)].tolist()
    canvas = np.zeros((size, round(1.5 * size)), np.uint8)
    for digit, left in zip(chosen, np.linspace(0, size // 2, len(chosen)).astype(int).tolist(), strict=True):
        part = canvas[:, left : left + size]
        np.maximum(part, _digit(rng, (digit,), size, 0.8 * thickness), out=part)
    return _centred(_cropped(canvas), size)


def _stack(rng: np.random.Generator, size: int, thickness: float) -> Ink:
    """Draw one digit above another, mostly with a fraction bar between them."""
    above, below = (_cropped(_digit(rng, _WITHOUT_0_AND_1, size, thickness)).T for _ in "12")
    if rng.random() < 0.7:
        bar = np.full((max(2, round(thickness)), max(above.shape[1], below.shape[1])), 255, np.uint8)
        gap = round(rng.uniform(0.05, 0.2) * size)
        above = _joined(above, bar, gap)
    else:
        gap = round(rng.uniform(0.0, 0.1) * size)
    return _centred(_joined(above, below, gap).T, size)


_FRAGMENTS: tuple[DrawFragment, ...] = (_piece, _seam, _pair, _number, _heap, _stack)


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


def _cropped(ink: Ink) -> Ink:
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _centred(ink: Ink, size: int) -> Ink:
    """Return `ink` centred on a canvas of `size` with a blank border, reduced by a whole factor where too large."""
    factor = math.ceil(max(ink.shape) / (size - 2))
    if factor > 1:
        padded = np.pad(ink, [(0, -length % factor) for length in ink.shape]).astype(np.float64)
        rows, columns = (length // factor for length in padded.shape)
        ink = np.rint(padded.reshape(rows, factor, columns, factor).mean(axis=(1, 3))).astype(np.uint8)
    canvas = np.zeros((size, size), np.uint8)
    top, left = (size - ink.shape[0]) // 2, (size - ink.shape[1]) // 2
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return canvas


def _is_bar(ink: Ink) -> bool:
    """Return whether the ink is sparse, narrow or a single bar, which may look like a 1."""
    rows, columns = np.nonzero(ink > 127)
    if len(rows) < 0.12 * ink.size or np.ptp(columns) < 0.6 * np.ptp(rows):
        return True
    spread = np.linalg.eigvalsh(np.cov(np.stack([columns, rows])))
    return bool(spread[1] > 5 * spread[0])


def _has_hole(ink: Ink) -> bool:
    """Return whether the ink encloses blank paper, as in the lower half of a 6, which looks like a 0."""
    # The padding connects all blank paper outside the ink.
    return len(find_components(np.pad(ink, 1) <= 127)) > 1
