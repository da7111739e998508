"""Draw what is no digit: letters, signs, pictures, scribbles, ticks, textures, and parts and heaps of digits.

A reader has to learn from these to say nothing. None may be one that a person would read as a digit: letters.py
says which letters and signs were left out for that, and the modules of the other kinds what they avoid.
"""

import math

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.errors import ArrayError, UnknownName
from edgedigits_runtime.synthetic.digit_parts import draw_part
from edgedigits_runtime.synthetic.drawings import DRAWINGS
from edgedigits_runtime.synthetic.hands import Hand
from edgedigits_runtime.synthetic.letter_parts import draw_letter_part
from edgedigits_runtime.synthetic.letters import CURSIVE, CYRILLIC, GREEK, LETTERS, SIGNS, TICKS
from edgedigits_runtime.synthetic.scribbles import scribble
from edgedigits_runtime.synthetic.strokes import SMALLEST, Points, ink_traces, place_traces, write_mark
from edgedigits_runtime.synthetic.textures import draw_texture

KINDS = ("letter", "operator", "scribble", "tick", "texture", "part", "greek", "drawing")
"""What draw_other draws."""

_SUPERSAMPLED_SIZE = 224
# Of the kind "letter": several in one piece, as a word comes out of the search for connected ink; the rest is Latin.
_WORDS, _JOINED, _CYRILLIC = 0.2, 0.2, 0.2
# Of the kind "part": halves of letters.
_LETTER_PARTS = 0.3
_WIDE = ("a", "h", "m", "n", "u", "w")

# What mirroring and quarter turns make of a tick; not the turn on its side that makes a 7 of it.
_TICK_TURNS = tuple(
    np.array(turn, np.float64)
    for turn in (
        ((1, 0), (0, 1)),
        ((1, 0), (0, 1)),
        ((-1, 0), (0, 1)),
        ((-1, 0), (0, -1)),
        ((1, 0), (0, -1)),
        ((0, 1), (-1, 0)),
        ((0, -1), (1, 0)),
        ((0, -1), (-1, 0)),
    )
)


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
        draw = draw_letter_part if rng.random() < _LETTER_PARTS else draw_part
        return draw(rng, size, thickness)
    traces = _traces(kind, rng)
    if kind in ("scribble", "drawing"):
        # Many strokes on one place: with a thick pen they would be a blot.
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
        return _letters(rng)
    if kind == "greek":
        return write_mark(_one_of(GREEK, rng), rng, slant=0.08)
    # Signs lean little: a leaning > is a 7.
    if kind == "tick":
        turn = _TICK_TURNS[rng.integers(len(_TICK_TURNS))]
        return [trace @ turn for trace in write_mark(_one_of(TICKS, rng), rng, slant=0.04)]
    return write_mark(_one_of(SIGNS if kind == "operator" else DRAWINGS, rng), rng, slant=0.04)


def _letters(rng: np.random.Generator) -> list[Points]:
    choice = rng.random()
    if choice < _WORDS:
        return _word(rng)
    if choice < _WORDS + _JOINED:
        return _joined_word(rng)
    table = CYRILLIC if choice < _WORDS + _JOINED + _CYRILLIC else LETTERS
    return write_mark(_one_of(table, rng), rng, slant=0.12)


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


def _joined_word(rng: np.random.Generator) -> list[Points]:
    """Trace two to four letters of a joined hand, one of them wide, as two narrow ones are a 0, 6 or 9 too often."""
    names = list(CURSIVE)
    chosen = [names[rng.integers(len(names))] for _ in range(rng.choice((2, 2, 3, 4)))]
    if not set(_WIDE).intersection(chosen):
        chosen[rng.integers(len(chosen))] = _WIDE[rng.integers(len(_WIDE))]
    # Runs on without a corner: the next letter's first point takes the place of this one's last.
    joined, more, right = "", [], 0
    for name in chosen:
        first, *others = CURSIVE[name]
        joined = joined.rpartition(" ")[0] + " " + _moved(first, right)
        more += [_moved(stroke, right) for stroke in others]
        right = max(int(point.split(",")[0]) for point in joined.replace("|", " ").split())
    return write_mark((joined.strip(), *more), rng, slant=0.12)


def _moved(stroke: str, right: int) -> str:
    """Return `stroke` so many hundredths of its height further to the right."""
    pieces = [
        " ".join(f"{int(x) + right},{y}" for x, y in (point.split(",") for point in piece.split()))
        for piece in stroke.split("|")
    ]
    return " | ".join(pieces)


def _one_of(table: dict[str, tuple[Hand, ...]], rng: np.random.Generator) -> Hand:
    ways = list(table.values())[rng.integers(len(table))]
    return ways[rng.integers(len(ways))]
