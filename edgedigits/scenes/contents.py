"""Digits on a surface: single ones, numbers, columns, and forms of many kinds."""

from collections.abc import Callable, Sequence

import numpy as np

from edgedigits.scenes.inks import Hand, digit_tile, draw_hand, mnist_image
from edgedigits.scenes.painter import Painter, Pen, placed
from edgedigits.scenes.strokes import circle, draw_strokes
from edgedigits.scenes.surfaces import Surface

SMALLEST_DIGIT = 7.5
"""Pixels of the height of the smallest digits that are written on purpose."""


# Strokes from the middle, in halves of the size.
SIGNS: dict[str, list[list[tuple[float, float]]]] = {
    "+": [[(-1, 0), (1, 0)], [(0, -1), (0, 1)]],
    "-": [[(-1, 0), (1, 0)]],
    "=": [[(-1, -0.35), (1, -0.35)], [(-1, 0.4), (1, 0.4)]],
    "x": [[(-0.8, -0.8), (0.8, 0.8)], [(0.8, -0.8), (-0.8, 0.8)]],
    "/": [[(0.5, -1.8), (-0.5, 1.8)]],
    "|": [[(0, -2), (0, 2)]],
    ".": [[(0, 1.6), (0.06, 1.6)]],
    ",": [[(0.1, 1.6), (-0.15, 2.0)]],
    ":": [[(0, -0.6), (0.06, -0.6)], [(0, 0.8), (0.06, 0.8)]],
}


class Writer:
    """One hand at work on one surface."""

    def __init__(self, painter: Painter, surface: Surface, printed: float = 0.08) -> None:
        self.painter, self.surface = painter, surface
        self.hand: Hand = draw_hand(painter.rng, painter.part, printed)
        self.scale = max(painter.scale_at(surface.x + surface.width / 2, surface.y + surface.height / 2), 0.05)
        self.neat = 0.0 if self.hand.font else 1.0
        painter.stroke_level = int(painter.rng.integers(90, 150))

    @property
    def least(self) -> float:
        """Height of the smallest digit, in units of the surface."""
        return SMALLEST_DIGIT / self.scale

    def digit(self, value: int, x: float, y: float, height: float, number: int, degrees: float = 0.0) -> float:
        """Paint a digit with its centre at (x, y), and return its width."""
        painter, rng = self.painter, self.painter.rng
        tile = digit_tile(rng, painter.part, self.hand, value, height * self.scale)
        tall, wide = tile.shape
        scale = height / max(tall, 0.8 * wide)
        stretch = 1 + self.neat * float(rng.uniform(-0.12, 0.12))
        degrees += self.neat * float(rng.normal(0, 3))
        placement = placed(tile.shape, x, y, (scale * stretch, scale), degrees, self.hand.slant)
        painter.stamp(tile, placement, value, number)
        return float(wide * scale * stretch)

    def number(self, values: Sequence[int], x: float, y: float, height: float, gap: float) -> float:
        """Write a number from x on, its middle at y; return its right end. A negative gap lets digits touch."""
        rng, number = self.painter.rng, self.painter.new_number()
        for value in values:
            tall = height * (1 + self.neat * float(rng.uniform(-0.1, 0.08)))
            tile = digit_tile(rng, self.painter.part, self.hand, value, tall * self.scale)
            scale = tall / max(tile.shape[0], 0.8 * tile.shape[1])
            wide = tile.shape[1] * scale * (1 + self.neat * float(rng.uniform(-0.1, 0.1)))
            at = y + self.neat * float(rng.normal(0, 0.03)) * height
            matrix = placed(
                tile.shape,
                x + wide / 2,
                at,
                (wide / tile.shape[1], scale),
                self.neat * rng.normal(0, 2),
                self.hand.slant,
            )
            self.painter.stamp(tile, matrix, value, number)
            x += wide + gap * height
        return x

    def width(self, values: Sequence[int], height: float, gap: float) -> float:
        """Return about the width of a number."""
        return sum((0.3 if value == 1 else 0.66) * height for value in values) + gap * height * (len(values) - 1)


def _values(painter: Painter, longest: int = 9) -> list[int]:
    count = min(1 + int(painter.rng.geometric(0.33)), longest) if painter.chance(0.85) else 1
    return [int(value) for value in painter.rng.integers(0, 10, count)]


def single(painter: Painter, surface: Surface) -> None:
    """Write one digit of any size, often a large one."""
    writer = Writer(painter, surface)
    room = min(surface.width * 1.25, surface.height)
    height = painter.skewed(0.06, 0.95) * room if painter.chance(0.35) else painter.between(0.4, 0.99) * room
    height = max(height, writer.least)
    rest_x, rest_y = (surface.width - 0.8 * height) / 2, (surface.height - height) / 2
    x = surface.x + surface.width / 2 + painter.between(-1, 1) * max(rest_x, 0)
    y = surface.y + surface.height / 2 + painter.between(-1, 1) * max(rest_y, 0)
    degrees = float(painter.rng.normal(0, 6))
    with painter.ink(surface.pen):
        writer.digit(int(painter.rng.integers(10)), x, y, height, painter.new_number(), degrees)


def numbers(painter: Painter, surface: Surface) -> None:
    """Write lines of numbers, each line of one size."""
    writer = Writer(painter, surface)
    height = max(min(painter.skewed(8, 220) / writer.scale, surface.height * 0.8), writer.least)
    gap = painter.between(0.02, 0.4)
    full = painter.chance(0.3)
    y = _first_line(painter, surface, height, full)
    with painter.ink(surface.pen):
        while y + height / 2 < surface.y + surface.height:
            _line(painter, surface, writer, y, height, gap, full)
            size = height * painter.between(0.6, 1.5) if painter.chance(0.15) else height
            y += (height + size) / 2 * painter.between(1.15, 2.2)
            height = max(size, writer.least)
            if painter.chance(0.05 if full else 0.3):
                break


def _first_line(painter: Painter, surface: Surface, height: float, full: bool = False) -> float:
    """Return the middle of the first line: near the top where lines fill the surface, else anywhere."""
    start = surface.y + height * painter.between(0.55, 1.0)
    if full or painter.chance(0.4):
        return start
    return start + painter.between(0, 1) * max(surface.height - 1.6 * height, 0)


def _line(
    painter: Painter, surface: Surface, writer: Writer, y: float, height: float, gap: float, full: bool = False
) -> None:
    x = surface.x + height * painter.between(0.2, 1.2)
    x += painter.between(0, 0.6) * surface.width if not full and painter.chance(0.4) else 0
    end = surface.x + surface.width
    while True:
        values = _values(painter)
        while values and x + writer.width(values, height, gap) > end:
            values.pop()
        if not values:
            return
        x = writer.number(values, x, y, height, gap) + height * painter.between(0.6, 2.5)
        if not full and painter.chance(0.35):
            return


def grid(painter: Painter, surface: Surface) -> None:
    """Write rows of single digits in columns."""
    writer = Writer(painter, surface)
    height = max(painter.skewed(8, 60) / writer.scale, writer.least)
    across, down = height * painter.between(1.1, 2.6), height * painter.between(1.2, 2.5)
    columns, rows = int(surface.width // across), int(surface.height // down)
    same = painter.chance(0.3)
    with painter.ink(surface.pen):
        for row in range(min(rows, 16)):
            for column in range(min(columns, 14)):
                x, y = surface.x + (column + 0.5) * across, surface.y + (row + 0.5) * down
                value = row % 10 if same else int(painter.rng.integers(10))
                size = height * painter.between(0.85, 1.08)
                writer.digit(value, x, y, size, painter.new_number())


def montage(painter: Painter, surface: Surface) -> None:
    """Show images of MNIST as they are: one that fills the surface, or rows of them, enlarged with soft edges."""
    rng = painter.rng
    columns = 1 if painter.chance(0.5) else int(rng.integers(2, 9))
    cell = surface.width / columns
    rows = max(min(int(surface.height // cell), columns), 1)
    cell = min(cell, surface.height / rows)
    gap = painter.between(0, 0.15) * cell if columns > 1 else 0.0
    white = painter.chance(0.75)
    ground: Pen = Pen((0, 0, 0) if white else (255, 255, 255))
    x0 = surface.x + painter.between(0, 1) * (surface.width - columns * cell)
    y0 = surface.y + painter.between(0, 1) * (surface.height - rows * cell)
    places = [(x0 + column * cell, y0 + row * cell) for row in range(rows) for column in range(columns)]
    side = cell - gap
    with painter.ink(ground):
        for x, y in places:
            painter.fill([(x, y), (x + side, y), (x + side, y + side), (x, y + side)])
    values = rng.integers(0, 10, len(places)).tolist()
    painter.sharp = painter.chance(0.2)
    with painter.ink(Pen((255, 255, 255) if white else (0, 0, 0))):
        for (x, y), value in zip(places, values, strict=True):
            image = mnist_image(rng, painter.part, value)
            placement = placed(image.shape, x + side / 2, y + side / 2, (side / 28, side / 28))
            painter.stamp(image, placement, value, painter.new_number())
    painter.sharp = True


def touching(painter: Painter, surface: Surface) -> None:
    """Write numbers whose digits touch or overlap."""
    writer = Writer(painter, surface, printed=0.0)
    height = max(min(painter.skewed(12, 220) / writer.scale, surface.height * 0.8), writer.least)
    y = _first_line(painter, surface, height)
    with painter.ink(surface.pen):
        while y + height / 2 < surface.y + surface.height:
            _line(painter, surface, writer, y, height, painter.between(-0.16, 0.03))
            y += height * painter.between(1.1, 2.2)
            if painter.chance(0.4):
                break


def arithmetic(painter: Painter, surface: Surface) -> None:
    """Write numbers with operators, decimal points and separators, or a sum in columns with its bar."""
    writer = Writer(painter, surface)
    height = max(min(painter.skewed(10, 70) / writer.scale, surface.height * 0.4), writer.least)
    y = _first_line(painter, surface, height)
    with painter.ink(surface.pen):
        while y + height / 2 < surface.y + surface.height:
            if painter.chance(0.3):
                y = _stacked(painter, surface, writer, y, height)
            else:
                _formula(painter, surface, writer, y, height)
                y += height * painter.between(1.3, 2.2)
            if painter.chance(0.2):
                break


def _formula(painter: Painter, surface: Surface, writer: Writer, y: float, height: float) -> None:
    x, end = surface.x + 0.4 * height, surface.x + surface.width
    gap = painter.between(0.03, 0.25)
    spoken = painter.chance(0.6)
    while True:
        values = _values(painter, 4)
        if x + writer.width(values, height, gap) > end:
            return
        x = writer.number(values, x, y, height, gap) + (gap + 0.02) * height
        if x + 0.7 * height > end:
            return
        name = "+-x=/:"[int(painter.rng.integers(6))] if spoken else ".,.,-/: |"[int(painter.rng.integers(9))]
        x += sign(painter, name, x, y, height, writer.hand.pen) + (gap + 0.02) * height


def sign(painter: Painter, name: str, x: float, y: float, height: float, pen: float) -> float:
    """Paint an operator or separator from x on, and return its width."""
    if name == " ":
        return 0.5 * height
    size = height * painter.between(0.35, 0.6)
    width = {"/": 0.5, "|": 0.1, ".": 0.15, ",": 0.2, ":": 0.15}.get(name, 1.0) * size
    half = size / 2
    ways = SIGNS[name]
    middle = x + width / 2
    thick = max(pen, 0.06) * height
    for way in ways:
        points = [(middle + across * half, y + down * half) for across, down in way]
        painter.line(points, thick)
    across = np.array([point for way in ways for point in way])
    low, high = across.min(axis=0) * half, across.max(axis=0) * half
    box = (middle + low[0] - thick / 2, y + low[1] - thick / 2, middle + high[0] + thick / 2, y + high[1] + thick / 2)
    if name in "+=x":
        painter.mark_letter(box)
    elif name in "/|":
        painter.mark_ignored(box)
    return width


def _stacked(painter: Painter, surface: Surface, writer: Writer, y: float, height: float) -> float:
    """Write a sum in columns, and return where the next line may stand."""
    pitch = height * painter.between(0.75, 1.0)
    columns = int(painter.rng.integers(2, 6))
    right = surface.x + painter.between(0.3, 0.95) * surface.width
    right = max(right, surface.x + (columns + 1.5) * pitch)
    rows = int(painter.rng.integers(2, 5))
    for row in range(rows + 1):
        if y + height / 2 > surface.y + surface.height:
            return y
        if row == rows:
            bar = y - 0.65 * height
            painter.line([(right - (columns + 1) * pitch, bar), (right + 0.3 * pitch, bar)], 0.06 * height)
        number = painter.new_number()
        for column in range(int(painter.rng.integers(1, columns + 1)) - 1, -1, -1):
            writer.digit(int(painter.rng.integers(10)), right - (column + 0.4) * pitch, y, height, number)
        if row == rows - 1:
            sign(
                painter, "+-x"[int(painter.rng.integers(3))], right - (columns + 1) * pitch, y, height, writer.hand.pen
            )
        y += height * 1.35
    return y


def boxes(painter: Painter, surface: Surface) -> None:
    """Fill boxes that stand apart, a digit in each."""
    _cells(painter, surface, apart=painter.between(0.08, 0.6))


def combs(painter: Painter, surface: Surface) -> None:
    """Fill a row of joined boxes, closed, or with ticks between the cells only."""
    _cells(painter, surface, apart=0.0)


def underlines(painter: Painter, surface: Surface) -> None:
    """Write digits above short lines, or numbers above one line."""
    _cells(painter, surface, apart=painter.between(0.0, 0.4), underlined=True)


def circles(painter: Painter, surface: Surface) -> None:
    """Write digits and numbers into circles."""
    _cells(painter, surface, apart=painter.between(0.1, 0.8), round_ones=True)


def _cells(
    painter: Painter, surface: Surface, apart: float, underlined: bool = False, round_ones: bool = False
) -> None:
    writer = Writer(painter, surface)
    rng = painter.rng
    height = max(min(painter.skewed(8, 100) / writer.scale, surface.height * 0.55), writer.least)
    wide, tall = height * painter.between(1.05, 1.9), height * painter.between(1.15, 1.9)
    step = wide * (1 + apart)
    rule = _rule_pen(painter, surface)
    thick = painter.skewed(0.6, 4) / writer.scale
    ticks = painter.chance(0.35)
    y = _first_line(painter, surface, tall)
    while y + tall / 2 < surface.y + surface.height:
        most = max(int((surface.width - thick) // step), 1)
        count = min(int(rng.integers(1, 13)), most)
        x = surface.x + painter.between(0, 1) * (surface.width - count * step) + step / 2
        with painter.ink(rule):
            for k in range(count):
                _cell(painter, x + k * step, y, wide, tall, thick, underlined, round_ones, ticks and apart == 0)
        with painter.ink(surface.pen):
            number = painter.new_number()
            for k in range(count):
                if painter.chance(0.08):
                    number = painter.new_number()
                    continue
                off_x, off_y = (rng.normal(0, 0.08, 2) * writer.neat).tolist()
                middle = x + (k * step + off_x * wide), y + off_y * tall
                writer.digit(int(rng.integers(10)), *middle, height * painter.between(0.8, 1.1), number)
        y += tall * painter.between(1.3, 2.6)
        if painter.chance(0.35):
            break


def _cell(
    painter: Painter,
    x: float,
    y: float,
    wide: float,
    tall: float,
    thick: float,
    under: bool,
    circled: bool,
    ticks: bool,
) -> None:
    left, right, top, bottom = x - wide / 2, x + wide / 2, y - tall / 2, y + tall / 2
    if circled:
        size = max(wide, tall) * 1.1
        tile = draw_strokes(circle(painter.rng, painter.between(0.85, 1.2)), 96, max(96 * thick / size, 1.5))
        painter.stamp(tile, placed(tile.shape, x, y, (size / tile.shape[0],) * 2))
    elif under:
        painter.line([(left, bottom), (right, bottom)], thick)
    elif ticks:
        painter.line(
            [(left, bottom - 0.4 * tall), (left, bottom), (right, bottom), (right, bottom - 0.4 * tall)], thick
        )
    else:
        painter.line([(left, top), (right, top), (right, bottom), (left, bottom)], thick, closed=True)


def framed(painter: Painter, surface: Surface) -> None:
    """Write a number or digit into a frame, solid, double or rounded, or beside a bar."""
    writer = Writer(painter, surface)
    height = max(min(painter.skewed(10, 230) / writer.scale, surface.height * 0.75), writer.least)
    gap = painter.between(0.02, 0.3)
    values = _values(painter, 6)
    while len(values) > 1 and writer.width(values, height, gap) > 0.8 * surface.width:
        values.pop()
    wide = writer.width(values, height, gap)
    if wide > 0.9 * surface.width:
        height *= 0.8 * surface.width / wide
        wide = writer.width(values, height, gap)
    x = surface.x + painter.between(0.05, 0.95) * max(surface.width - wide, 1)
    y = surface.y + painter.between(0.3, 0.7) * surface.height
    pad_x, pad_y = painter.between(0.12, 0.9) * height, painter.between(0.12, 0.6) * height
    left, right, top, bottom = x - pad_x, x + wide + pad_x, y - height / 2 - pad_y, y + height / 2 + pad_y
    outline = [(left, top), (right, top), (right, bottom), (left, bottom)]
    thick = painter.skewed(0.8, 9) / writer.scale
    with painter.ink(_rule_pen(painter, surface)):
        chance = painter.rng.random()
        if chance < 0.7:
            painter.line(outline, thick, closed=True)
        elif chance < 0.85:
            painter.line(outline[2:], thick * 2)
        else:
            painter.line([outline[0], outline[3]], thick * 3)
        if painter.chance(0.15):
            inner = 2.5 * thick
            painter.line(
                [(left + inner, top + inner), (right - inner, top + inner), (right - inner, bottom - inner),
                 (left + inner, bottom - inner)], thick, closed=True,
            )  # fmt: skip
    with painter.ink(surface.pen):
        writer.number(values, x, y, height, gap)


def table(painter: Painter, surface: Surface) -> None:
    """Fill a table with numbers, ruled between all or some cells."""
    writer = Writer(painter, surface, printed=0.25)
    columns, rows = (int(value) for value in painter.rng.integers(2, 8, 2))
    across, down = surface.width / columns, surface.height / rows
    height = max(min(painter.between(0.3, 0.75) * down, across * 0.7), writer.least)
    thick = painter.skewed(0.6, 3) / writer.scale
    with painter.ink(_rule_pen(painter, surface)):
        for row in range(rows + 1):
            y = surface.y + row * down
            painter.line([(surface.x, y), (surface.x + surface.width, y)], thick)
        for column in range(columns + 1 if painter.chance(0.75) else 0):
            x = surface.x + column * across
            painter.line([(x, surface.y), (x, surface.y + surface.height)], thick)
    gap = painter.between(0.04, 0.2)
    with painter.ink(surface.pen):
        for row in range(rows):
            for column in range(columns):
                values = _values(painter, 5)
                while values and writer.width(values, height, gap) > 0.85 * across:
                    values.pop()
                if values and painter.chance(0.75):
                    x = surface.x + column * across + 0.1 * across
                    writer.number(values, x, surface.y + (row + 0.5) * down, height, gap)


def sudoku(painter: Painter, surface: Surface) -> None:
    """Fill a sudoku, a calendar's squares or another square grid in part."""
    writer = Writer(painter, surface, printed=0.4)
    count = (3, 4, 6, 9, 9)[int(painter.rng.integers(5))]
    side = min(surface.width, surface.height) * painter.between(0.6, 1.0)
    x0 = surface.x + painter.between(0, 1) * (surface.width - side)
    y0 = surface.y + painter.between(0, 1) * (surface.height - side)
    cell = side / count
    thin, thick = painter.skewed(0.5, 2) / writer.scale, painter.skewed(1.5, 5) / writer.scale
    with painter.ink(_rule_pen(painter, surface)):
        for k in range(count + 1):
            width = thick if k % 3 == 0 else thin
            painter.line([(x0 + k * cell, y0), (x0 + k * cell, y0 + side)], width)
            painter.line([(x0, y0 + k * cell), (x0 + side, y0 + k * cell)], width)
    filled = painter.between(0.2, 0.9)
    height = cell * painter.between(0.45, 0.8)
    with painter.ink(surface.pen):
        for row in range(count):
            number = painter.new_number()
            for column in range(count):
                if painter.chance(filled):
                    x, y = x0 + (column + 0.5) * cell, y0 + (row + 0.5) * cell
                    writer.digit(int(painter.rng.integers(10)), x, y, height, number)


def _rule_pen(painter: Painter, surface: Surface) -> Pen:
    """Return a pen for printed rules: the writer's, or paler."""
    if painter.chance(0.4):
        return surface.pen
    mix = painter.between(0.2, 1.0)
    red, green, blue = (
        round(paper + (ink - paper) * mix) for paper, ink in zip(surface.paper, surface.pen.colour, strict=True)
    )
    return Pen((red, green, blue), 1.0)


DIGITS: dict[str, tuple[Callable[[Painter, Surface], None], float]] = {
    "single": (single, 6.5),
    "numbers": (numbers, 3.5),
    "grid": (grid, 1.0),
    "montage": (montage, 1.0),
    "touching": (touching, 1.2),
    "arithmetic": (arithmetic, 0.9),
    "boxes": (boxes, 0.7),
    "combs": (combs, 0.9),
    "underlines": (underlines, 0.5),
    "circles": (circles, 0.5),
    "framed": (framed, 0.7),
    "table": (table, 0.5),
    "sudoku": (sudoku, 0.5),
}
"""Contents with digits, each with its share."""
