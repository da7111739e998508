"""Draw non-digits: letters, signs, doodles, scribbles, ticks, textures, and fragments and clusters of digits.

A reader is trained and tested on rejecting these. None looks like a digit to a person: the module of each kind
lists the shapes it leaves out.
"""

import math

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.errors import UnknownName
from edgedigits_runtime.synthetic.digit_styles import Glyph
from edgedigits_runtime.synthetic.doodles import DOODLES
from edgedigits_runtime.synthetic.fragments import draw_fragment, draw_letter_half
from edgedigits_runtime.synthetic.handwriting import Points, checked_thickness, ink_traces, place_traces, write_symbol
from edgedigits_runtime.synthetic.letters import CURSIVE, CYRILLIC, GREEK, LETTERS, SIGNS, TICKS
from edgedigits_runtime.synthetic.scribbles import scribble
from edgedigits_runtime.synthetic.textures import draw_texture

KINDS = ("letter", "operator", "scribble", "tick", "texture", "part", "greek", "drawing")
"""The kinds of non-digits, as results and model cards name them."""

_SUPERSAMPLED_SIZE = 224
# Shares of the kind "letter"; the rest are single Latin letters.
_WORDS, _JOINED, _CYRILLIC = 0.2, 0.2, 0.2
# Share of letter halves in the kind "part".
_LETTER_HALVES = 0.3
_WIDE = ("a", "h", "m", "n", "u", "w")

# Mirrored and turned ticks, except the quarter turn that looks like a 7.
_UPRIGHT = (1, 0, 0, 1)
_TICK_TURNS = np.array(
    (_UPRIGHT, _UPRIGHT, (-1, 0, 0, 1), (-1, 0, 0, -1), (1, 0, 0, -1), (0, 1, -1, 0), (0, -1, 1, 0), (0, -1, -1, 0)),
    np.float64,
).reshape(-1, 2, 2)


def draw_non_digit(
    rng: np.random.Generator, *, kind: str | None = None, size: int = 112, thickness: float | None = None
) -> NDArray[np.uint8]:
    """Draw one non-digit on a square canvas; the same state of `rng` gives the same picture.

    Args:
        rng: random source of the symbol and its handwriting.
        kind: one of KINDS; None chooses one at random.
        size: side of the canvas in pixels, at least 16.
        thickness: mean width of a stroke in pixels, 1 to size / 4; by default 5 to 13% of `size`. Textures ignore it.

    Returns:
        Ink, uint8 [size, size], 0 blank to 255 full ink, anti-aliased, never entirely blank.

    Raises:
        UnknownName: `kind` is not one of KINDS.
        ArrayError: `size` or `thickness` is out of range.
    """
    if kind is None:
        kind = KINDS[rng.integers(len(KINDS))]
    if kind not in KINDS:
        raise UnknownName("kind of non-digit", kind, KINDS)
    thickness = checked_thickness(rng, size, thickness, least=0.05)
    if kind == "texture":
        return draw_texture(rng, size)
    if kind == "part":
        draw = draw_letter_half if rng.random() < _LETTER_HALVES else draw_fragment
        return draw(rng, size, thickness)
    traces = _traces(kind, rng)
    if kind in ("scribble", "drawing"):
        # A thick pen would turn their many strokes into a blot.
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
        return write_symbol(_glyph(GREEK, rng), rng, slant=0.08)
    # Small slants only: a strongly slanted > looks like a 7.
    if kind == "tick":
        turn = _TICK_TURNS[rng.integers(len(_TICK_TURNS))]
        return [trace @ turn for trace in write_symbol(_glyph(TICKS, rng), rng, slant=0.04)]
    return write_symbol(_glyph(SIGNS if kind == "operator" else DOODLES, rng), rng, slant=0.04)


def _letters(rng: np.random.Generator) -> list[Points]:
    choice = rng.random()
    if choice < _WORDS:
        return _word(rng)
    if choice < _WORDS + _JOINED:
        return _joined_word(rng)
    table = CYRILLIC if choice < _WORDS + _JOINED + _CYRILLIC else LETTERS
    return write_symbol(_glyph(table, rng), rng, slant=0.12)


def _word(rng: np.random.Generator) -> list[Points]:
    """Trace two to four letters side by side."""
    traces: list[Points] = []
    right = 0.0
    for _ in range(rng.integers(2, 5)):
        letter = write_symbol(_glyph(LETTERS, rng), rng, slant=0.06)
        low = min(trace[:, 0].min() for trace in letter)
        traces += [trace + np.array([right - low, rng.normal(0.0, 0.03)]) for trace in letter]
        right = max(trace[:, 0].max() for trace in traces) + rng.uniform(0.0, 0.25)
    return traces


def _joined_word(rng: np.random.Generator) -> list[Points]:
    """Trace two to four cursive letters, at least one of them wide: two narrow ones often look like a 0, 6 or 9."""
    names = list(CURSIVE)
    chosen = [names[rng.integers(len(names))] for _ in range(rng.choice((2, 2, 3, 4)))]
    if not set(_WIDE).intersection(chosen):
        chosen[rng.integers(len(chosen))] = _WIDE[rng.integers(len(_WIDE))]
    # The next letter's first point replaces the last one of this letter, so that there is no corner.
    joined, more, right = "", [], 0
    for name in chosen:
        first, *others = CURSIVE[name]
        joined = joined.rpartition(" ")[0] + " " + _moved(first, right)
        more += [_moved(stroke, right) for stroke in others]
        right = max(int(point.split(",")[0]) for point in joined.replace("|", " ").split())
    return write_symbol((joined.strip(), *more), rng, slant=0.12)


def _moved(stroke: str, right: int) -> str:
    """Return `stroke` moved to the right by hundredths of its height."""
    pieces = [
        " ".join(f"{int(x) + right},{y}" for x, y in (point.split(",") for point in piece.split()))
        for piece in stroke.split("|")
    ]
    return " | ".join(pieces)


def _glyph(table: dict[str, tuple[Glyph, ...]], rng: np.random.Generator) -> Glyph:
    glyphs = list(table.values())[rng.integers(len(table))]
    return glyphs[rng.integers(len(glyphs))]
