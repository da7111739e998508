"""Textures that a search for ink may find without writing: blots, noise, stripes, corners, ruled lines, page edges.

Narrow upright textures and closed frames are left out, because they look like 1 and 0.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Ink = NDArray[np.float64]


def draw_texture(rng: np.random.Generator, size: int) -> NDArray[np.uint8]:
    """Draw one texture on a square canvas: uint8 [size, size], 0 blank to 255 full, the outermost pixels blank."""
    texture = _TEXTURES[rng.integers(len(_TEXTURES))](rng, size - 2)
    ink = np.zeros((size, size), np.uint8)
    ink[1:-1, 1:-1] = np.rint(255 * np.clip(texture, 0, 1))
    # Too faint a texture is a blank page.
    return ink if ink.max() > 60 else draw_texture(rng, size)


def _coordinates(size: int) -> tuple[Ink, Ink]:
    """Return x and y of every pixel, -1 to 1."""
    line = np.linspace(-1, 1, size)
    return np.broadcast_to(line, (size, size)), np.broadcast_to(line[:, None], (size, size))


def _rotated(size: int, angle: float) -> tuple[Ink, Ink]:
    x, y = _coordinates(size)
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


def _edge(distance: Ink, size: int) -> Ink:
    """Return the share of each pixel that is inside; `distance` to the edge is in canvas halves, above 0 inside."""
    return np.clip(distance * size / 2 + 0.5, 0, 1)


def _noise(rng: np.random.Generator, size: int) -> Ink:
    fine = rng.random((size, size))
    return np.where(fine < rng.uniform(0.1, 0.6), rng.random((size, size)), 0.0)


def _clouds(rng: np.random.Generator, size: int, grain: float) -> Ink:
    """Return smooth noise of mean 0 and deviation 1, its bumps about `grain` canvas widths wide."""
    cells = max(2, round(1 / grain)) + 1
    coarse = Image.fromarray(rng.normal(0, 1, (cells, cells)).astype(np.float32))
    smooth = np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC), dtype=np.float64)
    return _standardised(smooth)


def _standardised(values: Ink) -> Ink:
    result: Ink = (values - values.mean()) / max(float(values.std()), 1e-6)
    return result


def _blotches(rng: np.random.Generator, size: int) -> Ink:
    """Draw many blots with ragged edges."""
    return np.clip((_clouds(rng, size, rng.uniform(0.08, 0.2)) - rng.uniform(0.3, 1.0)) * rng.uniform(2, 8), 0, 1)


def _smear(rng: np.random.Generator, size: int) -> Ink:
    """Draw soft grey patches, such as a shadow or an erased place."""
    return np.clip(0.5 + 0.35 * _clouds(rng, size, rng.uniform(0.25, 0.5)), 0, 1)


def _stripes(rng: np.random.Generator, size: int) -> Ink:
    x, _ = _rotated(size, rng.uniform(0, np.pi))
    # At least three stripes: two upright ones look like 11.
    return np.clip(0.5 + rng.uniform(0.8, 3) * np.sin(np.pi * x * rng.uniform(3, 8) + rng.uniform(0, 6)), 0, 1)


def _checker(rng: np.random.Generator, size: int) -> Ink:
    x, y = _rotated(size, rng.normal(0, 0.2))
    cells = rng.uniform(2, 5)
    return np.clip(0.5 + 4 * np.sin(np.pi * cells * x) * np.sin(np.pi * cells * y), 0, 1)


def _rectangle(rng: np.random.Generator, size: int) -> Ink:
    x, y = _rotated(size, rng.normal(0, 0.15))
    width = rng.uniform(0.6, 0.9)
    height = width * rng.uniform(0.3, 1.2)
    return _edge(np.minimum(width - abs(x), min(height, 0.9) - abs(y)), size)


def _ellipse(rng: np.random.Generator, size: int) -> Ink:
    """Draw a filled ellipse with a wavy edge."""
    x, y = _rotated(size, rng.normal(0, 0.2))
    angle = np.arctan2(y, x)
    wave = 1 + rng.uniform(0, 0.12) * np.sin(rng.integers(2, 7) * angle + rng.uniform(0, 6))
    return _edge(rng.uniform(0.6, 0.85) * wave - np.hypot(x, y / rng.uniform(0.4, 1.0)), size)


def _gradient(rng: np.random.Generator, size: int) -> Ink:
    x, y = _rotated(size, rng.uniform(0, 2 * np.pi))
    flat = np.clip(0.5 + rng.uniform(0.3, 1.5) * x, 0, 1)
    return flat * np.clip(1.2 - rng.uniform(0, 1) * abs(y), 0, 1)


def _page_edge(rng: np.random.Generator, size: int) -> Ink:
    """Draw a dark table beside the page: full ink on one side of one or two lines."""
    x, _ = _rotated(size, rng.uniform(0, 2 * np.pi))
    inside = _edge(x - rng.uniform(-0.6, 0.1), size)
    if rng.random() < 0.4:
        z, _ = _rotated(size, rng.uniform(0, 2 * np.pi))
        inside = np.maximum(inside, _edge(z - rng.uniform(0.2, 0.6), size))
    return inside * np.clip(0.85 + 0.1 * _clouds(rng, size, 0.3), 0, 1)


def _corner(rng: np.random.Generator, size: int) -> Ink:
    """Draw a bent bar with its corner at the left or bottom; a corner at the top right looks like a 7."""
    x, y = _rotated(size, rng.normal(0, 0.12))
    left = rng.random() < 0.7
    top = left and rng.random() < 0.5
    thickness = rng.uniform(0.1, 0.35)
    side = x + 0.85 if left else 0.85 - x
    end = y + 0.85 if top else 0.85 - y
    upright = np.minimum(np.minimum(side, thickness - side), np.minimum(end, 1.6 - end))
    level = np.minimum(np.minimum(end, thickness - end), np.minimum(side, 1.6 - side))
    return _edge(np.maximum(upright, level), size)


def _ruled_lines(rng: np.random.Generator, size: int) -> Ink:
    """Draw a piece of ruled or squared paper with at least two lines in one direction."""
    x, y = _rotated(size, rng.normal(0, 0.06))
    thickness = rng.uniform(0.03, 0.12)
    spacing = rng.uniform(0.35, 0.6)
    level = thickness - abs((y / spacing + rng.uniform(0, 1)) % 1 - 0.5) * spacing
    if rng.random() < 0.3:
        return _edge(level, size)
    upright = thickness - abs((x / spacing + rng.uniform(0, 1)) % 1 - 0.5) * spacing
    return _edge(np.maximum(level, upright), size) * rng.uniform(0.5, 1.0)


def _specks(rng: np.random.Generator, size: int) -> Ink:
    """Draw scattered dots, such as dust, grain or a halftone."""
    x, y = _coordinates(size)
    nearest = np.full((size, size), -1.0)
    for _ in range(rng.integers(4, 16)):
        across, down, radius = rng.uniform(-0.85, 0.85), rng.uniform(-0.85, 0.85), rng.uniform(0.04, 0.14)
        nearest = np.maximum(nearest, radius - np.hypot(x - across, y - down))
    return _edge(nearest, size)


def _print(rng: np.random.Generator, size: int) -> Ink:
    """Draw a blurred smudge of noise, such as a remnant of a photo or small print."""
    rough = Image.fromarray((255 * _noise(rng, size)).astype(np.uint8))
    soft = np.asarray(rough.filter(ImageFilter.GaussianBlur(size * rng.uniform(0.01, 0.03))), dtype=np.float64)
    x, y = _coordinates(size)
    within = np.hypot(x, y / rng.uniform(0.4, 1)) < rng.uniform(0.7, 1.2)
    return np.clip(0.4 + 0.4 * _standardised(soft), 0, 1) * within


_TEXTURES: tuple[Callable[[np.random.Generator, int], Ink], ...] = (
    *(_noise, _blotches, _smear, _stripes, _checker, _rectangle, _ellipse),
    *(_gradient, _page_edge, _corner, _ruled_lines, _specks, _print),
)
