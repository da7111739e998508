"""Contents of surfaces with digits: single ones, numbers, columns, sums, and the forms of forms.py."""

from collections.abc import Callable

from edgedigits.scenes import forms
from edgedigits.scenes.inks import mnist_image
from edgedigits.scenes.painter import Painter, Pen, placed
from edgedigits.scenes.surfaces import Surface
from edgedigits.scenes.writer import Writer, draw_values, first_line, sign


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
    y = first_line(painter, surface, height, full)
    with painter.ink(surface.pen):
        while y + height / 2 < surface.y + surface.height:
            _line(painter, surface, writer, y, height, gap, full)
            size = height * painter.between(0.6, 1.5) if painter.chance(0.15) else height
            y += (height + size) / 2 * painter.between(1.15, 2.2)
            height = max(size, writer.least)
            if painter.chance(0.05 if full else 0.3):
                break


def _line(
    painter: Painter, surface: Surface, writer: Writer, y: float, height: float, gap: float, full: bool = False
) -> None:
    x = surface.x + height * painter.between(0.2, 1.2)
    x += painter.between(0, 0.6) * surface.width if not full and painter.chance(0.4) else 0
    end = surface.x + surface.width
    while True:
        values = draw_values(painter)
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
    columns = 1 if painter.chance(0.55) else int(rng.integers(2, 9))
    if columns == 1 and painter.chance(0.4):
        size = painter.skewed(0.12, 0.9)
        surface = surface.part(painter.between(0, 1 - size), painter.between(0, 1 - size), size, size)
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
    y = first_line(painter, surface, height)
    with painter.ink(surface.pen):
        while y + height / 2 < surface.y + surface.height:
            _line(painter, surface, writer, y, height, painter.between(-0.2, 0.02))
            y += height * painter.between(1.1, 2.2)
            if painter.chance(0.4):
                break


def arithmetic(painter: Painter, surface: Surface) -> None:
    """Write numbers with operators, decimal points and separators, or a sum in columns with its bar."""
    writer = Writer(painter, surface)
    height = max(min(painter.skewed(10, 70) / writer.scale, surface.height * 0.4), writer.least)
    y = first_line(painter, surface, height)
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
        values = draw_values(painter, 4)
        if x + writer.width(values, height, gap) > end:
            return
        x = writer.number(values, x, y, height, gap) + (gap + 0.02) * height
        if x + 0.7 * height > end:
            return
        name = "+-x=/:"[int(painter.rng.integers(6))] if spoken else ".,.,-/: |"[int(painter.rng.integers(9))]
        x += sign(painter, name, x, y, height, writer.hand.pen) + (gap + 0.02) * height


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


DIGITS: dict[str, tuple[Callable[[Painter, Surface], None], float]] = {
    "single": (single, 6.5),
    "numbers": (numbers, 3.5),
    "grid": (grid, 1.0),
    "montage": (montage, 1.0),
    "touching": (touching, 2.4),
    "arithmetic": (arithmetic, 0.9),
    "boxes": (forms.boxes, 1.2),
    "combs": (forms.combs, 1.6),
    "underlines": (forms.underlines, 0.6),
    "circles": (forms.circles, 1.0),
    "fields": (forms.fields, 0.8),
    "framed": (forms.framed, 0.9),
    "table": (forms.table, 0.7),
    "sudoku": (forms.sudoku, 0.8),
}
"""Contents with digits, each with its share."""
