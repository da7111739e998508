"""What stands on a surface: single digits, numbers, grids of digits."""

from edgedigits.scenes.inks import digit_tile
from edgedigits.scenes.painter import Painter, placed
from edgedigits.scenes.surfaces import Surface


def digit(painter: Painter, value: int, x: float, y: float, height: float, number: int, slant: float = 0.0) -> float:
    """Paint a digit with its centre at (x, y), and return its width."""
    tile = digit_tile(painter.rng, painter.part, value)
    tall, wide = tile.shape
    scale = height / max(tall, 0.8 * wide)
    stretch = painter.between(0.88, 1.12)
    degrees = float(painter.rng.normal(0, 3))
    painter.stamp(tile, placed(tile.shape, x, y, (scale * stretch, scale), degrees, slant), value, number)
    return wide * scale * stretch


def single(painter: Painter, surface: Surface) -> None:
    """Write one digit of any size."""
    room = min(surface.width, surface.height)
    height = painter.skewed(0.07, 1.0) * room if painter.chance(0.5) else painter.between(0.45, 1.0) * room
    height = max(height, 8 / max(painter.scale_at(surface.x, surface.y), 0.1))
    rest_x, rest_y = (surface.width - height) / 2, (surface.height - height) / 2
    x = surface.x + surface.width / 2 + painter.between(-1, 1) * max(rest_x, 0)
    y = surface.y + surface.height / 2 + painter.between(-1, 1) * max(rest_y, 0)
    with painter.ink(surface.pen):
        digit(painter, int(painter.rng.integers(10)), x, y, height, painter.new_number())


def numbers(painter: Painter, surface: Surface) -> None:
    """Write lines of numbers, each line of one size."""
    height = min(painter.skewed(9, 90), surface.height * 0.8)
    y = surface.y + height * painter.between(0.6, 1.0)
    slant = float(painter.rng.normal(0, 0.12))
    with painter.ink(surface.pen):
        while y + height / 2 < surface.y + surface.height:
            _line(painter, surface, y, height, slant)
            y += height * painter.between(1.2, 2.6)
            if painter.chance(0.3):
                break


def _line(painter: Painter, surface: Surface, y: float, height: float, slant: float) -> None:
    x = surface.x + height * painter.between(0.5, 1.5)
    end = surface.x + surface.width
    gap = painter.between(-0.04, 0.35) * height
    wave = painter.between(0, 0.08) * height
    while x < end - height * 0.6:
        number = painter.new_number()
        for _ in range(
            int(painter.rng.choice([1, 2, 3, 4, 5, 6, 8, 10], p=[0.15, 0.2, 0.2, 0.15, 0.1, 0.1, 0.05, 0.05]))
        ):
            if x > end - height * 0.6:
                break
            size = height * painter.between(0.88, 1.08)
            value = int(painter.rng.integers(10))
            at = y + float(painter.rng.normal(0, 1)) * wave
            width = 0.25 * size if value == 1 else 0.62 * size
            x += digit(painter, value, x + width / 2, at, size, number, slant) + gap
        x += height * painter.between(0.8, 3)
        if painter.chance(0.35):
            break


def grid(painter: Painter, surface: Surface) -> None:
    """Write rows of single digits in columns."""
    height = painter.skewed(8, 40)
    across, down = height * painter.between(1.2, 2.5), height * painter.between(1.3, 2.5)
    columns, rows = int(surface.width // across), int(surface.height // down)
    with painter.ink(surface.pen):
        for row in range(min(rows, 20)):
            for column in range(min(columns, 20)):
                x, y = surface.x + (column + 0.5) * across, surface.y + (row + 0.5) * down
                size = height * painter.between(0.85, 1.1)
                digit(painter, int(painter.rng.integers(10)), x, y, size, painter.new_number())


def nothing(painter: Painter, surface: Surface) -> None:
    """Leave the surface empty."""
