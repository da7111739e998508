"""Page layout: where each digit and each other symbol is written, as strokes without ink."""

from dataclasses import dataclass, replace

import numpy as np

from edgedigits_runtime.errors import ArrayError, UnknownName
from edgedigits_runtime.synthetic.digit_styles import STYLE_TABLES, Glyph, digit_glyphs
from edgedigits_runtime.synthetic.handwriting import Handwriting, Points, write_symbol
from edgedigits_runtime.synthetic.letters import LETTERS, SIGNS, TICKS
from edgedigits_runtime.synthetic.scribbles import scribble

Extent = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels of the page."""

# Signs between numbers, by their names in letters.SIGNS.
_BETWEEN = ("plus", "minus", "equals", "times", "divide", "less", "greater", "opening", "closing")
_MARGIN = 0.05
_PLACES_TRIED = 40


@dataclass(frozen=True)
class PageOptions:
    """Content of a page. A pair of numbers is a range that each page, line or digit draws from.

    Args:
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        lines: number of lines with digits; 0 for a page without digits.
        digits: number of digits in a line.
        grid: arrange the digits in columns over the whole page, without signs and words.
        digit_height: in pixels before perspective; reduced where the page is too full.
        thickness: of the pen, in digit heights; at least one pixel.
        gap: between the ink of neighbours in a line, in digit heights; at least 2 pixels.
        touching: share of neighbours that touch.
        wander: standard deviation of a digit's vertical offset from its line, in digit heights.
        mixed_pens: draw the thickness and colour of each digit separately; else a page has one pen.
        writers: number of writers.
        styles: "school" or "wide", as in draw_digit.
        signs: share of digits that an operator follows.
        words: lines of letters below the digits.
        scrawls: scribbles and ticks in free places.
    """

    width: int = 1000
    height: int = 750
    lines: tuple[int, int] = (1, 1)
    digits: tuple[int, int] = (1, 1)
    grid: bool = False
    digit_height: tuple[float, float] = (60.0, 200.0)
    thickness: tuple[float, float] = (0.05, 0.13)
    gap: tuple[float, float] = (0.12, 0.45)
    touching: float = 0.0
    wander: float = 0.04
    mixed_pens: bool = False
    writers: int = 1
    styles: str = "wide"
    signs: float = 0.0
    words: int = 0
    scrawls: int = 0

    def __post_init__(self) -> None:
        for name in ("lines", "digits", "digit_height", "thickness", "gap"):
            low, high = getattr(self, name)
            least = {"lines": 0, "digits": 1, "digit_height": 8, "thickness": 0, "gap": 0}[name]
            if not least <= low <= high:
                raise ArrayError(f"{name} must be a range from {least} up, is {low} to {high}")
        if min(self.width, self.height) < 32:
            raise ArrayError(f"a page must be at least 32 pixels a side, is {self.width}x{self.height}")
        if self.writers < 1:
            raise ArrayError(f"writers must be at least 1, is {self.writers}")
        if self.styles not in STYLE_TABLES:
            raise UnknownName("table of styles", self.styles, STYLE_TABLES)


@dataclass(frozen=True)
class Symbol:
    """One written symbol: a digit, letter, sign, tick or scribble.

    Args:
        strokes: float64 [n, 2] each, (x, y) in pixels of the page.
        thickness: of the pen, in pixels.
        digit: 0 to 9; None for a non-digit.
        line: index of its line from the top; -1 outside of lines.
        pen: index of the pen.
    """

    strokes: tuple[Points, ...]
    thickness: float
    digit: int | None
    line: int
    pen: int = 0

    @property
    def extent(self) -> Extent:
        """Bounds of its ink."""
        points = np.concatenate(self.strokes)
        # The pen is up to 1.15 times as wide as its mean (handwriting.py).
        reach = 0.58 * self.thickness
        (left, top), (right, bottom) = points.min(axis=0) - reach, points.max(axis=0) + reach
        return float(left), float(top), float(right), float(bottom)

    def moved(self, x: float, y: float, scale: float = 1.0) -> "Symbol":
        """Return the symbol scaled about the origin, then moved by (x, y)."""
        strokes = tuple(stroke * scale + np.array([x, y]) for stroke in self.strokes)
        return replace(self, strokes=strokes, thickness=self.thickness * scale)


class Writer:
    """A writer with one slant, one pen, and one glyph for each digit."""

    def __init__(self, rng: np.random.Generator, options: PageOptions, pen: int) -> None:
        self.rng = rng
        self.options = options
        self.handwriting = Handwriting.random(rng)
        self.thickness = rng.uniform(*options.thickness)
        self.pen = pen
        choices = [digit_glyphs(digit, options.styles) for digit in range(10)]
        self.glyphs: list[Glyph] = [glyphs[rng.integers(len(glyphs))] for glyphs in choices]

    def digit(self, digit: int, height: float, line: int) -> Symbol:
        """Write `digit` about `height` pixels high, its top left near the origin."""
        rng = self.rng
        handwriting = replace(self.handwriting, slant=self.handwriting.slant + rng.normal(0, 0.03))
        points = handwriting.trace(self.glyphs[digit], rng)
        height *= float(np.clip(rng.normal(1, 0.06), 0.85, 1.15))
        return self._symbol(points, height, digit, line)

    def sign(self, name: str, height: float, line: int) -> Symbol:
        """Write an operator, vertically centred beside digits of `height`."""
        points = self._written(SIGNS[name], 0.04)
        tall = name in ("opening", "closing")
        size = 1.0 if tall else self.rng.uniform(0.45, 0.7)
        down = 0.0 if tall else (1 - size) / 2
        return self._symbol([size * stroke + np.array([0, down]) for stroke in points], height, None, line)

    def letter(self, height: float, line: int) -> Symbol:
        return self._symbol(self._written(self._any(LETTERS), 0.06), height, None, line)

    def scrawl(self, height: float, line: int) -> Symbol:
        points = scribble(self.rng) if self.rng.random() < 0.5 else self._written(self._any(TICKS), 0.04)
        return self._symbol(points, height, None, line)

    def _any(self, table: dict[str, tuple[Glyph, ...]]) -> tuple[Glyph, ...]:
        return list(table.values())[self.rng.integers(len(table))]

    def _written(self, glyphs: tuple[Glyph, ...], slant: float) -> list[Points]:
        return write_symbol(glyphs[self.rng.integers(len(glyphs))], self.rng, slant=slant)

    def _symbol(self, points: list[Points], height: float, digit: int | None, line: int) -> Symbol:
        thickness, pen = self.thickness, self.pen
        if self.options.mixed_pens:
            thickness, pen = self.rng.uniform(*self.options.thickness), int(self.rng.integers(8))
        left = min(stroke[:, 0].min() for stroke in points)
        strokes = tuple((stroke - np.array([left, 0])) * height for stroke in points)
        return Symbol(strokes, max(1.0, thickness * height), digit, line, pen)


def lay_out(rng: np.random.Generator, options: PageOptions) -> list[Symbol]:
    """Return the symbols of a random page: digits in reading order, other symbols among them.

    All are within a margin of 5% of the page's shorter side. Only digits that should touch do, except on pages so full
    that gaps shrink below one pixel.
    """
    writers = [Writer(rng, options, pen) for pen in range(options.writers)]
    height = rng.uniform(*options.digit_height)
    count = int(rng.integers(options.lines[0], options.lines[1] + 1))
    if options.grid:
        symbols = _grid(rng, options, writers, height, count)
    else:
        symbols = _lines(rng, options, writers, height, count)
    for _ in range(options.scrawls):
        symbols += _in_free_place(rng, options, writers[0].scrawl(height, -1), symbols)
    return symbols


def _lines(
    rng: np.random.Generator, options: PageOptions, writers: list[Writer], height: float, count: int
) -> list[Symbol]:
    symbols: list[Symbol] = []
    # At least 1.5, because strokes reach above and below the line.
    pitch = height * rng.uniform(1.5, 2.1)
    indent = rng.uniform(0, 0.6)
    for line in range(count + options.words):
        writer = writers[line % len(writers)]
        written = _word(rng, writer, height, line) if line >= count else _line(rng, options, writer, height, line)
        start = height * (indent + abs(rng.normal(0, 0.15)))
        symbols += [symbol.moved(start, line * pitch) for symbol in written]
    return _anywhere(rng, options, symbols)


def _line(rng: np.random.Generator, options: PageOptions, writer: Writer, height: float, line: int) -> list[Symbol]:
    """Write one line from x = 0."""
    symbols: list[Symbol] = []
    for _ in range(rng.integers(options.digits[0], options.digits[1] + 1)):
        digit = writer.digit(int(rng.integers(10)), height, line)
        _append(rng, options, symbols, digit, height)
        if rng.random() < options.signs:
            sign = writer.sign(_BETWEEN[rng.integers(len(_BETWEEN))], height, line)
            _append(rng, replace(options, touching=0.0, wander=0.0), symbols, sign, height)
    return symbols


def _append(
    rng: np.random.Generator, options: PageOptions, symbols: list[Symbol], symbol: Symbol, height: float
) -> None:
    """Append `symbol` to the right of the others, touching the last one or with a gap."""
    symbol = symbol.moved(0.0, height * rng.normal(0, options.wander))
    if symbols and symbols[-1].digit is not None and rng.random() < options.touching:
        symbol = symbol.moved(contact(symbols[-1], symbol), 0.0)
    elif symbols:
        gap = max(2.0, height * rng.uniform(*options.gap))
        symbol = symbol.moved(max(other.extent[2] for other in symbols) + gap - symbol.extent[0], 0.0)
    symbols.append(symbol)


def contact(left: Symbol, right: Symbol) -> float:
    """Return how far to move `right` along x so that it touches `left` from the right."""
    a, b = np.concatenate(left.strokes), np.concatenate(right.strokes)
    # Less than half the sum of the pens, so that rounding and pressure cannot separate them.
    reach = 0.35 * (left.thickness + right.thickness)
    down = a[:, None, 1] - b[None, :, 1]
    near = abs(down) < reach
    if not near.any():
        return float(a[:, 0].max() - b[:, 0].min())
    return float((a[:, None, 0] - b[None, :, 0] + np.sqrt(np.maximum(reach**2 - down**2, 0)))[near].max())


def _word(rng: np.random.Generator, writer: Writer, height: float, line: int) -> list[Symbol]:
    symbols: list[Symbol] = []
    for _ in range(rng.integers(3, 8)):
        letter = writer.letter(0.8 * height, line)
        right = symbols[-1].extent[2] + height * rng.uniform(0.1, 0.3) if symbols else 0.0
        symbols.append(letter.moved(right - letter.extent[0] + 1, 0.2 * height))
    return symbols


def _grid(
    rng: np.random.Generator, options: PageOptions, writers: list[Writer], height: float, count: int
) -> list[Symbol]:
    columns = int(rng.integers(options.digits[0], options.digits[1] + 1))
    margin = _MARGIN * min(options.width, options.height)
    across, down = (options.width - 2 * margin) / columns, (options.height - 2 * margin) / max(count, 1)
    # A digit is up to 1.2 heights wide, and leans.
    height = min(height, 0.62 * down, 0.62 * across)
    symbols = []
    for line in range(count):
        for column in range(columns):
            symbol = writers[line % len(writers)].digit(int(rng.integers(10)), height, line)
            left, top, right, bottom = symbol.extent
            x = margin + across * (column + 0.5) + height * rng.normal(0, options.wander) - (left + right) / 2
            y = margin + down * (line + 0.5) + height * rng.normal(0, options.wander) - (top + bottom) / 2
            symbols.append(symbol.moved(x, y))
    return symbols


def _anywhere(rng: np.random.Generator, options: PageOptions, symbols: list[Symbol]) -> list[Symbol]:
    """Move `symbols` as a group to a random place on the page, reduced where they do not fit."""
    if not symbols:
        return symbols
    left, top, right, bottom = bounds(symbols)
    margin = _MARGIN * min(options.width, options.height)
    room = options.width - 2 * margin, options.height - 2 * margin
    scale = min(1.0, room[0] / (right - left), room[1] / (bottom - top))
    x = margin - left * scale + rng.uniform(0, 1) * (room[0] - (right - left) * scale)
    y = margin - top * scale + rng.uniform(0, 1) * (room[1] - (bottom - top) * scale)
    return [symbol.moved(x, y, scale) for symbol in symbols]


def _in_free_place(rng: np.random.Generator, options: PageOptions, symbol: Symbol, taken: list[Symbol]) -> list[Symbol]:
    """Return `symbol` in a free place, or an empty list where none is found."""
    for _ in range(_PLACES_TRIED):
        [placed] = _anywhere(rng, options, [symbol.moved(0.0, 0.0, rng.uniform(0.4, 1.2))])
        left, top, right, bottom = placed.extent
        apart = 0.3 * (bottom - top)
        if not any(
            left - apart <= x1 and x0 <= right + apart and top - apart <= y1 and y0 <= bottom + apart
            for x0, y0, x1, y1 in (other.extent for other in taken)
        ):
            return [placed]
    return []


def bounds(symbols: list[Symbol]) -> Extent:
    """Return the extent of all `symbols` together."""
    extents = np.array([symbol.extent for symbol in symbols])
    left, top = extents[:, :2].min(axis=0).tolist()
    right, bottom = extents[:, 2:].max(axis=0).tolist()
    return left, top, right, bottom
