"""The causes of misreading in docs/reading.md, as pictures to draw: text, pen, paper and light."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edgedigits_runtime.synthetic.digit_styles import RARE_STYLES, SCHOOL_STYLES, Glyph, digit_glyphs
from edgedigits_runtime.synthetic.doodles import DOODLES
from edgedigits_runtime.synthetic.handwriting import Handwriting, Points, trace_stroke
from edgedigits_runtime.synthetic.labelled_pages import Page, render_symbols
from edgedigits_runtime.synthetic.layout import Symbol, contact
from edgedigits_runtime.synthetic.letters import CURSIVE, LETTERS, SIGNS, TICKS
from edgedigits_runtime.synthetic.scenes import BLACK, BLUE, GREEN, RED, SCENES, Scene
from edgedigits_runtime.synthetic.scribbles import scribble

SIZE = (640, 400)
"""Width and height of every picture, in pixels."""

# Letters that look like digits, which letters.py leaves out.
_LIKE_DIGITS: dict[str, Glyph] = {
    "O": SCHOOL_STYLES[0]["round"],
    "S": ("52,12 32,1 10,12 12,32 46,58 54,80 34,98 4,88",),
    "a": ("52,52 34,38 12,44 2,68 12,94 32,94 50,76 54,42 | 52,80 58,97 70,92",),
    "d": ("52,52 34,38 12,44 2,68 12,94 32,94 50,76 | 56,0 | 53,80 58,97 70,92",),
    "g": ("52,10 34,0 12,8 4,30 14,52 34,50 50,34 54,4 | 52,70 40,96 18,98 4,88",),
    "o": CURSIVE["o"],
}
_SIGNS = {"+": "plus", "=": "equals", "-": "minus", "x": "times"}


@dataclass(frozen=True)
class Line:
    """A line of writing. Lengths without a unit are in digit heights.

    Args:
        text: digits, letters and signs from left to right.
        top: of its digits, in pixels of the picture.
        height: of its digits, in pixels.
        thickness: of the pen.
        slant: how far the tops lean to the right.
        gap: between neighbours: their boxes, or their ink with `ink_to_ink`.
        ink_to_ink: measure the gap between ink; with a gap of 0 neighbours touch.
        pens: indices of pens, used in turn.
        glyphs: how to write some characters; the others get a random school glyph.
    """

    text: str
    top: float = 110
    height: float = 170
    thickness: float = 0.085
    slant: float = 0.1
    gap: float = 0.4
    ink_to_ink: bool = False
    pens: tuple[int, ...] = (0,)
    glyphs: tuple[tuple[str, Glyph], ...] = ()

    def write(self, rng: np.random.Generator, line: int) -> list[Symbol]:
        """Write the line, centred horizontally."""
        handwriting = Handwriting(rng.uniform(0.004, 0.012), self.slant, rng.uniform(0.95, 1.1), rng.normal(0, 0.03))
        symbols: list[Symbol] = []
        for place, character in enumerate(self.text):
            symbol = self._symbol(character, handwriting, rng, line, self.pens[place % len(self.pens)])
            symbols.append(symbol.moved(self._right_of(symbols[-1], symbol) if symbols else 0.0, 0.0))
        left, right = symbols[0].extent[0], symbols[-1].extent[2]
        return [symbol.moved((SIZE[0] - left - right) / 2, self.top) for symbol in symbols]

    def _symbol(
        self, character: str, handwriting: Handwriting, rng: np.random.Generator, line: int, pen: int
    ) -> Symbol:
        strokes = handwriting.trace(_glyph(character, dict(self.glyphs), rng), rng)
        if character in _SIGNS:
            strokes = [0.55 * stroke + np.array([0, 0.25]) for stroke in strokes]
        height = self.height * float(np.clip(rng.normal(1, 0.04), 0.9, 1.1))
        digit = int(character) if character.isdigit() else None
        return Symbol(tuple(height * stroke for stroke in strokes), max(1.0, self.thickness * height), digit, line, pen)

    def _right_of(self, last: Symbol, symbol: Symbol) -> float:
        touching = contact(last, symbol) if self.ink_to_ink else last.extent[2] - symbol.extent[0]
        return touching + self.gap * self.height


def _glyph(character: str, chosen: dict[str, Glyph], rng: np.random.Generator) -> Glyph:
    if character in chosen:
        return chosen[character]
    if character.isdigit():
        glyphs = digit_glyphs(int(character), "school")
    elif character in _SIGNS:
        glyphs = SIGNS[_SIGNS[character]]
    else:
        glyphs = (_LIKE_DIGITS[character],) if character in _LIKE_DIGITS else LETTERS[character]
    return glyphs[rng.integers(len(glyphs))]


@dataclass(frozen=True)
class Cause:
    """A cause of misreading and a picture of it.

    Args:
        name: file name without suffix.
        title: of its sheet.
        lines: of writing.
        scene: paper, pens, light and camera.
        others: draws further symbols.
        length: number of digits that the reader expects; None for any.
    """

    name: str
    title: str
    lines: tuple[Line, ...]
    scene: Scene
    others: Callable[[np.random.Generator], list[Symbol]] = lambda _: []
    length: int | None = None

    def draw(self, seed: int) -> Page:
        """Draw the picture and its ground truth; the same seed gives the same page."""
        rng = np.random.default_rng(seed)
        symbols = [symbol for number, line in enumerate(self.lines) for symbol in line.write(rng, number)]
        return render_symbols(rng, [*symbols, *self.others(rng)], SIZE, self.scene)


def _non_digit(
    strokes: Sequence[Points], at: tuple[float, float], height: float, thickness: float, pen: int = 0
) -> Symbol:
    """Return strokes of height 1 as a non-digit of `height` with its top left at `at`, in pixels."""
    low = np.concatenate(strokes).min(axis=0)
    return Symbol(tuple(height * (stroke - low) + np.array(at) for stroke in strokes), thickness, None, -1, pen)


def _traced(glyph: Glyph, rng: np.random.Generator) -> list[Points]:
    return [trace_stroke(stroke, 0.008, rng) for stroke in glyph]


def _streak_and_print(rng: np.random.Generator) -> list[Symbol]:
    # A scanner's streak is straight, unlike handwriting.
    streak = [np.array([[0.0, 0.0], [0.004, 1.0]])]
    through = [
        _non_digit([stroke * np.array([-1.0, 1.0]) for stroke in _traced(LETTERS[letter][0], rng)], at, 60, 5, pen=2)
        for letter, at in zip("REK", ((330, 40), (270, 42), (205, 40)), strict=True)
    ]
    return [_non_digit(streak, (566, 70), 260, 2, pen=1), *through]


def _non_digits(rng: np.random.Generator) -> list[Symbol]:
    drawn = (
        (_traced(DOODLES["smiley"][0], rng), (50, 40), 130.0),
        (_traced(DOODLES["heart"][0], rng), (260, 50), 110.0),
        (_traced(TICKS["tick"][0], rng), (470, 50), 110.0),
        (scribble(rng), (60, 240), 110.0),
        (_traced(DOODLES["house"][0], rng), (290, 230), 130.0),
        (_traced(TICKS["ticked box"][0], rng), (480, 240), 110.0),
    )
    return [_non_digit(strokes, at, height, 9) for strokes, at, height in drawn]


def _face_and_sun(rng: np.random.Generator) -> list[Symbol]:
    return [
        _non_digit(_traced(DOODLES["smiley"][0], rng), (80, 110), 180, 10),
        _non_digit(_traced(DOODLES["sun"][0], rng), (380, 110), 180, 8),
    ]


_PHOTO = replace(SCENES["phone"], noise=1.0, fibre=0.5, tilt=0.03, turn=1.5, light=0.2, jpeg=90)
_SHADE = replace(_PHOTO, shadow=0.5, vignette=0.35)
_COLOURS = replace(_PHOTO, ground=(168, 168, 166), pens=(RED, GREEN, BLUE))
_TABLE = replace(_PHOTO, ground=(226, 224, 220), table=(34, 32, 32), tilt=0.16, turn=5.0)
_RULED = replace(_PHOTO, ground=(232, 232, 228), line_spacing=0.09, margin_line=True)
_SQUARED = replace(_PHOTO, ground=(232, 232, 228), pens=(BLUE,), line_spacing=0.055, squared=True)
_WINDOW = replace(SCENES["screen capture"], border=0.04, jpeg=None)
_SCAN = replace(SCENES["scan"], noise=0.0, fibre=0.0, grain=0.0)
_STREAKED = replace(_SCAN, pens=(BLACK, (196, 196, 194), (229, 228, 225)), turn=0.0)
_TOUCHING = (Line("3526", gap=0.0, ink_to_ink=True),)
_TOUCHING_ONES = Line("411", gap=0.0, slant=0.0, ink_to_ink=True, glyphs=(("1", SCHOOL_STYLES[1]["bare"]),))
_STROKES = (("5", RARE_STYLES[5]["detached bar"]), ("4", RARE_STYLES[4]["open arms"]))
_MARKET = (Line("MARKET", top=60, height=90, gap=0.25, slant=0.0), Line("25", top=230, height=110))
_HOSE = (Line("HOSE", top=55, height=95, gap=0.25, slant=0.0), Line("25", top=245, height=95))
_TWO_PENS = (Line("58", top=50, height=110, thickness=0.012), Line("58", top=245, height=100, thickness=0.24))
_SMALL = (Line("47", top=60, height=200), Line("1963", top=330, height=10, thickness=0.1))

CAUSES: tuple[Cause, ...] = (
    Cause("light", "Shadow and vignette", (Line("472"),), _SHADE),
    Cause("colour", "Coloured pens on grey paper", (Line("386", pens=(0, 1, 2)),), _COLOURS),
    Cause("table", "A note on a dark table", (Line("25", height=140),), _TABLE),
    Cause("squared", "Squared paper", (Line("307"),), _SQUARED),
    Cause("ruled", "Ruled paper with a margin", (Line("69", 58, 95), Line("14", 248, 95)), _RULED),
    Cause("screen", "The frame of a window", (Line("938"),), _WINDOW),
    Cause("hairline", "A hairline", (Line("58", thickness=0.012),), _SCAN),
    Cause("marker", "A thick marker", (Line("58", thickness=0.24),), _SCAN),
    Cause("strokes", "A 5 and its bar, an open 4", (Line("545", slant=0.05, glyphs=_STROKES),), _SCAN),
    Cause("touching", "Touching digits, and how many they are", _TOUCHING, _SCAN, length=4),
    Cause("slanted", "Slanted neighbours", (Line("7471", slant=0.42, gap=0.1, ink_to_ink=True),), _SCAN),
    Cause("signs", "Operators", (Line("7+2=9", height=140, top=130, gap=0.3, slant=0.0),), _SCAN),
    Cause("words", "A word and a number", _MARKET, _SCAN),
    Cause(
        "scanner",
        "A scanner's streak, print showing through",
        (Line("604", 150),),
        _STREAKED,
        _streak_and_print,
    ),
    Cause("no-digit", "Non-digits", (), _SCAN, _non_digits),
)
"""Causes that the reader handles, in the order of docs/reading.md."""

UNREAD: tuple[Cause, ...] = (
    Cause("touching-alone", "Touching digits, and not how many they are", _TOUCHING, _SCAN),
    Cause("touching-ones", "1s that touch over their whole height", (_TOUCHING_ONES,), _SCAN),
    Cause("half-a-word", "A word, half of its letters like digits", _HOSE, _SCAN),
    Cause("lower-case", "A lower-case word of letters like digits", (Line("goad", gap=0.2, slant=0.0),), _SCAN),
    Cause("two-pens", "A hairline beside a thick marker", _TWO_PENS, _SCAN),
    Cause("drawings", "A drawn face, a drawn sun", (), _SCAN, _face_and_sun),
    Cause("small", "Digits lower than 13 pixels beside large ones", _SMALL, _SCAN),
)
"""Causes that the reader does not handle, in the order of docs/reading.md."""
