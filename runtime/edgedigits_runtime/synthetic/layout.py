"""Lay out what is written on a page: where each digit and each other mark stands, as strokes and not yet as ink."""

from dataclasses import dataclass, replace

import numpy as np

from edgedigits_runtime.errors import ArrayError, UnknownName
from edgedigits_runtime.synthetic.hands import HAND_TABLES, Hand, hands_of
from edgedigits_runtime.synthetic.letters import LETTERS, SIGNS, TICKS
from edgedigits_runtime.synthetic.scribbles import scribble
from edgedigits_runtime.synthetic.strokes import Points, Writing, write_mark

Extent = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels of the page."""

# Signs that stand between numbers, by their names in letters.SIGNS.
_BETWEEN = ("plus", "minus", "equals", "times", "divide", "less", "greater", "opening", "closing")
_MARGIN = 0.05
_PLACES_TRIED = 40


@dataclass(frozen=True)
class PageOptions:
    """What a page holds. Two numbers are a range that each page, line or digit draws from.

    Args:
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        lines: number of lines with digits, 0 for a page without any.
        digits: number of digits in a line.
        grid: line the digits up in columns, evenly over the page, without signs and words.
        digit_height: in pixels before perspective; a page too full for it is written smaller.
        thickness: of the pen, in digit heights; no pen is thinner than one pixel.
        gap: between neighbours in a line, in digit heights, from one's ink to the next one's, at least 2 pixels.
        touching: share of the neighbours that touch instead.
        wander: how far digits stray from their line, in digit heights.
        mixed_pens: every digit may be of another thickness and colour, else a page is of one pen.
        writers: people who write on the page.
        hands: "school" or "wide", as in draw_digit.
        signs: share of the digits that an operator follows.
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
    hands: str = "wide"
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
        if self.hands not in HAND_TABLES:
            raise UnknownName("table of hands", self.hands, HAND_TABLES)


@dataclass(frozen=True)
class Mark:
    """One thing that is written.

    Args:
        strokes: float64 [n, 2] each, (x, y) in pixels of the page.
        thickness: of the pen, in pixels.
        digit: 0 to 9, or None for what is no digit.
        line: number of its line from the top, counted from 0.
        pen: which of the pens wrote it, counted from 0.
    """

    strokes: tuple[Points, ...]
    thickness: float
    digit: int | None
    line: int
    pen: int = 0

    @property
    def extent(self) -> Extent:
        """What its ink reaches."""
        points = np.concatenate(self.strokes)
        # The pen presses up to 1.15 times its mean width (strokes.py).
        reach = 0.58 * self.thickness
        (left, top), (right, bottom) = points.min(axis=0) - reach, points.max(axis=0) + reach
        return float(left), float(top), float(right), float(bottom)

    def moved(self, x: float, y: float, scale: float = 1.0) -> "Mark":
        """Scaled about the origin, then moved by (x, y)."""
        strokes = tuple(stroke * scale + np.array([x, y]) for stroke in self.strokes)
        return replace(self, strokes=strokes, thickness=self.thickness * scale)


class Writer:
    """Somebody with habits: one slant, one pen, and for each digit mostly the same hand."""

    def __init__(self, rng: np.random.Generator, options: PageOptions, pen: int) -> None:
        self.rng = rng
        self.options = options
        self.writing = Writing.drawn(rng)
        self.thickness = rng.uniform(*options.thickness)
        self.pen = pen
        choices = [hands_of(digit, options.hands) for digit in range(10)]
        self.habits: list[Hand] = [hands[rng.integers(len(hands))] for hands in choices]

    def digit(self, digit: int, height: float, line: int) -> Mark:
        """Write `digit` with its top left near the origin, about `height` pixels high."""
        rng = self.rng
        writing = replace(self.writing, slant=self.writing.slant + rng.normal(0, 0.03))
        points = writing.trace(self.habits[digit], rng)
        height *= float(np.clip(rng.normal(1, 0.06), 0.85, 1.15))
        return self._mark(points, height, digit, line)

    def sign(self, name: str, height: float, line: int) -> Mark:
        """Write an operator of about two thirds of the digits' height, where it stands beside them."""
        ways = SIGNS[name]
        points = write_mark(ways[self.rng.integers(len(ways))], self.rng, slant=0.04)
        tall = name in ("opening", "closing")
        size = 1.0 if tall else self.rng.uniform(0.45, 0.7)
        down = 0.0 if tall else (1 - size) / 2
        return self._mark([size * stroke + np.array([0, down]) for stroke in points], height, None, line)

    def letter(self, height: float, line: int) -> Mark:
        ways = list(LETTERS.values())[self.rng.integers(len(LETTERS))]
        points = write_mark(ways[self.rng.integers(len(ways))], self.rng, slant=0.06)
        return self._mark(points, height, None, line)

    def scrawl(self, height: float, line: int) -> Mark:
        if self.rng.random() < 0.5:
            return self._mark(scribble(self.rng), height, None, line)
        ways = list(TICKS.values())[self.rng.integers(len(TICKS))]
        return self._mark(write_mark(ways[self.rng.integers(len(ways))], self.rng, slant=0.04), height, None, line)

    def _mark(self, points: list[Points], height: float, digit: int | None, line: int) -> Mark:
        thickness, pen = self.thickness, self.pen
        if self.options.mixed_pens:
            thickness, pen = self.rng.uniform(*self.options.thickness), int(self.rng.integers(8))
        left = min(stroke[:, 0].min() for stroke in points)
        strokes = tuple((stroke - np.array([left, 0])) * height for stroke in points)
        return Mark(strokes, max(1.0, thickness * height), digit, line, pen)


def lay_out(rng: np.random.Generator, options: PageOptions) -> list[Mark]:
    """Write a page.

    Args:
        rng: draws the text, the people and the places.
        options: what the page holds.

    Returns:
        The marks: digits in reading order, other marks among them. All lie within the page with a margin of
        5% of its shorter side. Only digits that were asked to touch, unless a page is so full that the gaps
        shrink below a pixel.
    """
    writers = [Writer(rng, options, pen) for pen in range(options.writers)]
    height = rng.uniform(*options.digit_height)
    count = int(rng.integers(options.lines[0], options.lines[1] + 1))
    if options.grid:
        marks = _grid(rng, options, writers, height, count)
    else:
        marks = _lines(rng, options, writers, height, count)
    for _ in range(options.scrawls):
        marks += _in_free_place(rng, options, writers[0].scrawl(height, -1), marks)
    return marks


def _lines(
    rng: np.random.Generator, options: PageOptions, writers: list[Writer], height: float, count: int
) -> list[Mark]:
    marks: list[Mark] = []
    # Strokes reach below and above the line: 1.5 keeps the lines apart.
    pitch = height * rng.uniform(1.5, 2.1)
    indent = rng.uniform(0, 0.6)
    for line in range(count + options.words):
        writer = writers[line % len(writers)]
        written = _word(rng, writer, height, line) if line >= count else _line(rng, options, writer, height, line)
        start = height * (indent + abs(rng.normal(0, 0.15)))
        marks += [mark.moved(start, line * pitch) for mark in written]
    return _anywhere(rng, options, marks)


def _line(rng: np.random.Generator, options: PageOptions, writer: Writer, height: float, line: int) -> list[Mark]:
    """Write one line from x = 0."""
    marks: list[Mark] = []
    for _ in range(rng.integers(options.digits[0], options.digits[1] + 1)):
        digit = writer.digit(int(rng.integers(10)), height, line)
        _append(rng, options, marks, digit, height)
        if rng.random() < options.signs:
            sign = writer.sign(_BETWEEN[rng.integers(len(_BETWEEN))], height, line)
            _append(rng, replace(options, touching=0.0, wander=0.0), marks, sign, height)
    return marks


def _append(rng: np.random.Generator, options: PageOptions, marks: list[Mark], mark: Mark, height: float) -> None:
    """Set `mark` to the right of `marks`, touching the last one or with a gap."""
    mark = mark.moved(0.0, height * rng.normal(0, options.wander))
    if marks and marks[-1].digit is not None and rng.random() < options.touching:
        mark = mark.moved(contact(marks[-1], mark), 0.0)
    elif marks:
        gap = max(2.0, height * rng.uniform(*options.gap))
        mark = mark.moved(max(other.extent[2] for other in marks) + gap - mark.extent[0], 0.0)
    marks.append(mark)


def contact(left: Mark, right: Mark) -> float:
    """Return how far to move `right` along x so that it just runs into `left` from the right."""
    a, b = np.concatenate(left.strokes), np.concatenate(right.strokes)
    # Less than half the sum of the pens, or contact would be a matter of rounding and of the pressure.
    reach = 0.35 * (left.thickness + right.thickness)
    down = a[:, None, 1] - b[None, :, 1]
    near = abs(down) < reach
    if not near.any():
        return float(a[:, 0].max() - b[:, 0].min())
    return float((a[:, None, 0] - b[None, :, 0] + np.sqrt(np.maximum(reach**2 - down**2, 0)))[near].max())


def _word(rng: np.random.Generator, writer: Writer, height: float, line: int) -> list[Mark]:
    marks: list[Mark] = []
    for _ in range(rng.integers(3, 8)):
        letter = writer.letter(0.8 * height, line)
        right = marks[-1].extent[2] + height * rng.uniform(0.1, 0.3) if marks else 0.0
        marks.append(letter.moved(right - letter.extent[0] + 1, 0.2 * height))
    return marks


def _grid(
    rng: np.random.Generator, options: PageOptions, writers: list[Writer], height: float, count: int
) -> list[Mark]:
    columns = int(rng.integers(options.digits[0], options.digits[1] + 1))
    margin = _MARGIN * min(options.width, options.height)
    across, down = (options.width - 2 * margin) / columns, (options.height - 2 * margin) / max(count, 1)
    # A digit is up to 1.2 wide and leans.
    height = min(height, 0.62 * down, 0.62 * across)
    marks = []
    for line in range(count):
        for column in range(columns):
            mark = writers[line % len(writers)].digit(int(rng.integers(10)), height, line)
            left, top, right, bottom = mark.extent
            x = margin + across * (column + 0.5) + height * rng.normal(0, options.wander) - (left + right) / 2
            y = margin + down * (line + 0.5) + height * rng.normal(0, options.wander) - (top + bottom) / 2
            marks.append(mark.moved(x, y))
    return marks


def _anywhere(rng: np.random.Generator, options: PageOptions, marks: list[Mark]) -> list[Mark]:
    """Move `marks` together to a random place on the page, made smaller where they would not fit."""
    if not marks:
        return marks
    left, top, right, bottom = _around(marks)
    margin = _MARGIN * min(options.width, options.height)
    room = options.width - 2 * margin, options.height - 2 * margin
    scale = min(1.0, room[0] / (right - left), room[1] / (bottom - top))
    x = margin - left * scale + rng.uniform(0, 1) * (room[0] - (right - left) * scale)
    y = margin - top * scale + rng.uniform(0, 1) * (room[1] - (bottom - top) * scale)
    return [mark.moved(x, y, scale) for mark in marks]


def _in_free_place(rng: np.random.Generator, options: PageOptions, mark: Mark, taken: list[Mark]) -> list[Mark]:
    """Return `mark` where nothing stands yet, or nothing when the page is full."""
    for _ in range(_PLACES_TRIED):
        [placed] = _anywhere(rng, options, [mark.moved(0.0, 0.0, rng.uniform(0.4, 1.2))])
        left, top, right, bottom = placed.extent
        apart = 0.3 * (bottom - top)
        around = left - apart, top - apart, right + apart, bottom + apart
        if not any(_overlap(around, other.extent) for other in taken):
            return [placed]
    return []


def _overlap(first: Extent, second: Extent) -> bool:
    return first[0] <= second[2] and second[0] <= first[2] and first[1] <= second[3] and second[1] <= first[3]


def _around(marks: list[Mark]) -> Extent:
    extents = np.array([mark.extent for mark in marks])
    left, top = extents[:, :2].min(axis=0)
    right, bottom = extents[:, 2:].max(axis=0)
    return float(left), float(top), float(right), float(bottom)
