"""Draw what is no digit: letters, signs, scribbles, ticks, textures, and parts and heaps of digits.

A reader has to learn from these to say nothing. None may be one that a person would read as a digit: letters.py
says which letters and signs were left out for that, and the modules of the other kinds what they avoid.
"""

import math

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.errors import ArrayError, UnknownName
from edgedigits_runtime.synthetic.digit_parts import draw_part
from edgedigits_runtime.synthetic.hands import Hand
from edgedigits_runtime.synthetic.letters import LETTERS, SIGNS, TICKS
from edgedigits_runtime.synthetic.scribbles import scribble
from edgedigits_runtime.synthetic.strokes import SMALLEST, Points, Writing, ink_traces, place_traces
from edgedigits_runtime.synthetic.textures import draw_texture

KINDS = ("letter", "operator", "scribble", "tick", "texture", "part")
"""What draw_other draws."""

_SUPERSAMPLED_SIZE = 224
# Two to four letters in one piece, as a word comes out of the search for connected ink.
_WORDS = 0.25


def draw_other(
    rng: np.random.Generator, *, kind: str | None = None, size: int = 112, thickness: float | None = None
) -> NDArray[np.uint8]:
    """Draw one mark that is no digit on a square canvas; the same state of `rng` gives the same picture.

    Args:
        rng: chooses the mark and how it is written.
        kind: one of KINDS; None chooses one at random.
        size: side of the canvas in pixels, at least 16.
        thickness: mean width of a stroke in pixels, 1 to size / 4; 5 to 13% of `size` by default. Textures have
            no stroke and ignore it.

    Returns:
        Ink, uint8 [size, size], 0 bare paper to 255 full ink, anti-aliased, never all bare.

    Raises:
        UnknownName: `kind` is not one of KINDS.
        ArrayError: `size` or `thickness` out of range.
    """
    if kind is None:
        kind = KINDS[rng.integers(len(KINDS))]
    if kind not in KINDS:
        raise UnknownName("kind of mark", kind, KINDS)
    if size < SMALLEST:
        raise ArrayError(f"a mark needs a canvas of at least {SMALLEST} pixels a side, got {size}")
    if thickness is None:
        thickness = max(1.0, size * rng.uniform(0.05, 0.13))
    if not 1 <= thickness <= size / 4:
        raise ArrayError(f"thickness must be 1 to {size / 4:g} pixels on a canvas of {size}, is {thickness:g}")
    if kind == "texture":
        return draw_texture(rng, size)
    if kind == "part":
        return draw_part(rng, size, thickness)
    traces = _traces(kind, rng)
    if kind == "scribble":
        # A scribble is many strokes on one place: with a thick pen it would be a blot.
        thickness = max(1.0, 0.7 * thickness)
    return ink_traces(
        place_traces(traces, size, thickness, rng),
        size,
        thickness,
        rng,
        supersampling=max(2, math.ceil(_SUPERSAMPLED_SIZE / size)),
        discs=6.0,
    )


def _traces(kind: str, rng: np.random.Generator) -> list[Points]:
    if kind == "scribble":
        return scribble(rng)
    if kind == "letter":
        return _word(rng) if rng.random() < _WORDS else write_mark(_one_of(LETTERS, rng), rng, slant=0.12)
    # Signs lean little: a leaning > is a 7.
    return write_mark(_one_of(SIGNS if kind == "operator" else TICKS, rng), rng, slant=0.04)


def write_mark(hand: Hand, rng: np.random.Generator, *, slant: float) -> list[Points]:
    """Trace `hand` as somebody would write it this time.

    Args:
        hand: its strokes.
        rng: draws unsteadiness, proportions, turn and slant.
        slant: standard deviation of the slant, in heights.

    Returns:
        float64 [n, 2] for each stroke, (x, y) in heights.
    """
    writing = Writing(
        steadiness=rng.uniform(0.004, 0.018),
        width=rng.uniform(0.8, 1.25),
        slant=float(np.clip(rng.normal(0.0, slant), -2 * slant, 2 * slant)),
        angle=math.radians(np.clip(rng.normal(0.0, 3.5), -8, 8)),
    )
    return writing.trace(hand, rng)


def _word(rng: np.random.Generator) -> list[Points]:
    """Trace two to four letters side by side."""
    traces: list[Points] = []
    right = 0.0
    for _ in range(rng.integers(2, 5)):
        letter = write_mark(_one_of(LETTERS, rng), rng, slant=0.06)
        low = min(trace[:, 0].min() for trace in letter)
        traces += [trace + np.array([right - low, rng.normal(0.0, 0.03)]) for trace in letter]
        right = max(trace[:, 0].max() for trace in traces) + rng.uniform(0.0, 0.25)
    return traces


def _one_of(table: dict[str, tuple[Hand, ...]], rng: np.random.Generator) -> Hand:
    ways = list(table.values())[rng.integers(len(table))]
    return ways[rng.integers(len(ways))]
