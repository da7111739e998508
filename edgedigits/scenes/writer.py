"""One hand at work on a surface: digits, numbers and signs, and where lines begin."""

from collections.abc import Sequence

import numpy as np

from edgedigits.scenes.inks import Hand, digit_tile, draw_hand
from edgedigits.scenes.painter import Painter, placed
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


def draw_values(painter: Painter, longest: int = 9) -> list[int]:
    """Return the digits of a number, more often short than long."""
    count = min(1 + int(painter.rng.geometric(0.33)), longest) if painter.chance(0.85) else 1
    return [int(value) for value in painter.rng.integers(0, 10, count)]


def first_line(painter: Painter, surface: Surface, height: float, full: bool = False) -> float:
    """Return the middle of the first line: near the top where lines fill the surface, else anywhere."""
    start = surface.y + height * painter.between(0.55, 1.0)
    if full or painter.chance(0.4):
        return start
    return start + painter.between(0, 1) * max(surface.height - 1.6 * height, 0)


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
