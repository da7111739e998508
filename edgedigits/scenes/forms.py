"""Digits in printed forms: boxes, combs, lines, circles, frames, tables, grids."""

from edgedigits.scenes.glyphs import EM, fonts_with_letters
from edgedigits.scenes.non_digits import print_word, word
from edgedigits.scenes.painter import Painter, Pen, placed
from edgedigits.scenes.strokes import circle, draw_strokes
from edgedigits.scenes.surfaces import Surface
from edgedigits.scenes.writer import Writer, draw_values, first_line


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
    y = first_line(painter, surface, tall)
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
    values = draw_values(painter, 6)
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
                values = draw_values(painter, 5)
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


def fields(painter: Painter, surface: Surface) -> None:
    """Write numbers beside printed labels, on a line, in a box or free."""
    writer = Writer(painter, surface, printed=0.0)
    rng = painter.rng
    font = fonts_with_letters(painter.part)[int(rng.integers(len(fonts_with_letters(painter.part))))]
    height = max(min(painter.skewed(9, 50) / writer.scale, surface.height * 0.5), writer.least)
    size, gap = height * painter.between(0.4, 1.1), painter.between(0.03, 0.3)
    thick = painter.skewed(0.6, 2.5) / writer.scale
    rule, frame = _rule_pen(painter, surface), int(rng.integers(3))
    x0, y = surface.x + painter.between(0, 0.15) * surface.width, first_line(painter, surface, height)
    while y + height / 2 < surface.y + surface.height:
        label = " ".join(word(rng) for _ in range(int(rng.integers(1, 3)))) + ("", ":")[int(rng.integers(2))]
        line = font.line(label)
        x = x0 + line[0].shape[1] * size / EM + 0.5 * height
        values = draw_values(painter, 6)
        while len(values) > 1 and x + writer.width(values, height, gap) > surface.x + surface.width - 0.3 * height:
            values.pop()
        right = x + writer.width(values, height, gap) + 0.3 * height
        if right < surface.x + surface.width:
            top, bottom = y - 0.65 * height, y + 0.65 * height
            with painter.ink(rule):
                print_word(painter, label, line, x0, y + 0.4 * height, size / EM, False)
                if frame == 0:
                    painter.line([(x - 0.2 * height, bottom), (right, bottom)], thick)
                elif frame == 1:
                    left = x - 0.3 * height
                    painter.line([(left, top), (right, top), (right, bottom), (left, bottom)], thick, closed=True)
            with painter.ink(surface.pen):
                writer.number(values, x, y, height, gap)
        y += height * painter.between(1.4, 2.4)


def _rule_pen(painter: Painter, surface: Surface) -> Pen:
    """Return a pen for printed rules: the writer's, or paler."""
    if painter.chance(0.4):
        return surface.pen
    mix = painter.between(0.2, 1.0)
    red, green, blue = (
        round(paper + (ink - paper) * mix) for paper, ink in zip(surface.paper, surface.pen.colour, strict=True)
    )
    return Pen((red, green, blue), 1.0)
