"""Characters, signs and doodles as the way of a pen, drawn with a pen of any width."""

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from edgedigits.scenes.opencv import cv2
from edgedigits.scenes.scene import Part, Pixels
from edgedigits_runtime.synthetic.digit_styles import Glyph, digit_glyphs
from edgedigits_runtime.synthetic.doodles import DOODLES
from edgedigits_runtime.synthetic.handwriting import Handwriting, write_symbol
from edgedigits_runtime.synthetic.letters import CURSIVE, GREEK, LETTERS, SIGNS, TICKS
from edgedigits_runtime.synthetic.scribbles import scribble

Strokes = Sequence[NDArray[np.float32]]
"""Points of each stroke, [n, 2], x and y downward, in heights of the character."""

TRACED = 60
"""Times that each digit is written by another writer."""
_SHIFT = 4


def draw_strokes(strokes: Strokes, height: float, pen: float, soft: bool = True) -> Pixels:
    """Return a tile of strokes that are `height` pixels high, with a pen of `pen` pixels; `soft` edges are smoothed."""
    every = np.concatenate(list(strokes))
    low, high = every.min(axis=0), every.max(axis=0)
    scale = height / max(float(high[1] - low[1]), 0.35 * float(high[0] - low[0]), 0.05)
    border = pen / 2 + 1.5
    width, tall = (int(value) for value in np.ceil((high - low) * scale + 2 * border))
    tile = np.zeros((tall, width), np.uint8)
    ways = [np.rint(((stroke - low) * scale + border) * (1 << _SHIFT)).astype(np.int32) for stroke in strokes]
    cv2.polylines(tile, ways, False, 255, max(round(pen), 1), cv2.LINE_AA if soft else cv2.LINE_8, _SHIFT)
    x, y, width, tall = cv2.boundingRect(tile)
    return tile[y : y + tall, x : x + width]


def _float(strokes: Iterable[NDArray[np.float64]]) -> Strokes:
    return [stroke.astype(np.float32) for stroke in strokes]


def _generator(part: Part, number: int) -> np.random.Generator:
    return np.random.default_rng([number, int(part == "validation")])


@cache
def written_digits(part: Part) -> tuple[tuple[Strokes, ...], ...]:
    """Return the project's own styles of each digit, traced by many writers."""
    rng = _generator(part, 1)
    styles = [digit_glyphs(digit, "wide") for digit in range(10)]
    return tuple(
        tuple(_float(Handwriting.random(rng).trace(glyphs[k % len(glyphs)], rng)) for k in range(TRACED))
        for glyphs in styles
    )


@cache
def written_letters(part: Part) -> tuple[Strokes, ...]:
    """Return letters that nobody takes for a digit."""
    glyphs = [glyph for table in (LETTERS, GREEK) for forms in table.values() for glyph in forms]
    return _traced(part, 2, glyphs, 4)


@cache
def signs(part: Part) -> tuple[Strokes, ...]:
    """Return operators, ticks and arrows."""
    return _traced(part, 3, [glyph for table in (SIGNS, TICKS) for forms in table.values() for glyph in forms], 4)


@cache
def doodles(part: Part) -> tuple[Strokes, ...]:
    """Return drawings and scribbles."""
    rng = _generator(part, 4)
    drawn = _traced(part, 5, [glyph for forms in DOODLES.values() for glyph in forms], 4)
    return (*drawn, *(_float(scribble(rng)) for _ in range(40)))


@cache
def joined_letters(part: Part) -> tuple[Strokes, ...]:
    """Return letters of a joined hand, each from its left to its right end."""
    return _traced(part, 6, [*CURSIVE.values()], 6)


def _traced(part: Part, number: int, glyphs: Sequence[Glyph], times: int) -> tuple[Strokes, ...]:
    rng = _generator(part, number)
    return tuple(_float(write_symbol(glyph, rng, slant=0.1)) for glyph in glyphs for _ in range(times))


def joined_word(rng: np.random.Generator, part: Part) -> Strokes:
    """Return a word of a joined hand as one line of writing."""
    letters = joined_letters(part)
    strokes: list[NDArray[np.float32]] = []
    line: list[NDArray[np.float32]] = []
    right = 0.0
    for _ in range(int(rng.integers(2, 9))):
        first, *others = letters[int(rng.integers(len(letters)))]
        left = float(first[:, 0].min())
        move = np.array([right - left, 0], np.float32)
        line.append(first + move)
        strokes += [stroke + move for stroke in others]
        right += float(first[:, 0].max()) - left
    return [np.concatenate(line), *strokes]


def circle(rng: np.random.Generator, wide: float = 1.0) -> Strokes:
    """Return a circle drawn by hand, not quite closed."""
    angle = np.linspace(0, rng.uniform(5.9, 6.9), 40) + rng.uniform(0, 6.28)
    radius = 0.5 + np.cumsum(rng.normal(0, 0.004, 40))
    return [np.stack([wide * radius * np.cos(angle), radius * np.sin(angle)], axis=1).astype(np.float32)]
