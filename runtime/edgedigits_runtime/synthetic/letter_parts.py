"""Pieces of letters: what a search for digits hands on when it cuts touching marks apart in the wrong place.

Most halves of letters are digits: those of H, M, N and mu are 1s, both halves of T and pi 7s, the right of beta a 3, of
Omega a 2, the left of psi a 4. Only halves that are none are here.
"""

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.synthetic.digit_parts import centred, cropped
from edgedigits_runtime.synthetic.hands import Hand
from edgedigits_runtime.synthetic.letters import CYRILLIC, GREEK, LETTERS
from edgedigits_runtime.synthetic.strokes import ink_traces, place_traces, write_mark

_LEFT_HALVES: tuple[tuple[Hand, ...], ...] = (
    *(LETTERS[name] for name in "EFLPWem"),
    *(GREEK[name] for name in ("theta", "kappa", "Gamma", "Xi", "Sigma")),
    *(CYRILLIC[name] for name in ("sha", "tse", "yu")),
)
_RIGHT_HALVES: tuple[tuple[Hand, ...], ...] = (
    *(LETTERS[name] for name in "EFKXkx"),
    *(GREEK[name] for name in ("alpha", "kappa", "chi", "Xi", "Sigma")),
    CYRILLIC["zhe"],
)
_ATTEMPTS = 8


def draw_letter_part(rng: np.random.Generator, size: int, thickness: float) -> NDArray[np.uint8]:
    """Draw the left or right half of a letter on a square canvas, cut clean from top to bottom.

    Args:
        rng: chooses the letter, how it is written and where it is cut.
        size: side of the canvas in pixels.
        thickness: of the stroke in pixels.

    Returns:
        uint8 [size, size], 0 bare to 255 full ink.
    """
    for _ in range(_ATTEMPTS):
        left = rng.random() < 0.5
        halves = _LEFT_HALVES if left else _RIGHT_HALVES
        ways = halves[rng.integers(len(halves))]
        traces = write_mark(ways[rng.integers(len(ways))], rng, slant=0.05)
        whole = ink_traces(place_traces(traces, size, thickness, rng), size, thickness, rng, supersampling=3, discs=6.0)
        letter = cropped(whole)
        seam = round(letter.shape[1] * rng.uniform(0.4, 0.6))
        half = letter[:, :seam] if left else letter[:, seam:]
        # A thick pen leaves a bar or a blot of some; a bar is a 1.
        if _is_open(half):
            return centred(cropped(half), size)
    return whole


def _is_open(half: NDArray[np.uint8]) -> bool:
    """Whether the ink is wide enough, and enough paper shows between its strokes, not to be a bar."""
    rows, columns = np.nonzero(half > 127)
    if not len(rows):
        return False
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    return bool(width > 0.35 * height and len(rows) < 0.7 * width * height)
