"""Grounds: what lies behind sheets and digits."""

from functools import cache

import cv2
import numpy as np

from edgedigits.scenes.scene import Part, Pixels

SIDE = 384
"""Side of a cached texture."""
TEXTURES = {"train": 96, "validation": 24}


def colour(rng: np.random.Generator, low: int = 0, high: int = 255) -> tuple[int, int, int]:
    """Return a colour: its brightness between two levels, more often pale than strong."""
    level = rng.uniform(low, high)
    hue = rng.normal(0, 1, 3)
    mixed = level + (hue - hue.mean()) * rng.exponential(22)
    red, green, blue = (int(value) for value in np.clip(mixed, 0, 255))
    return red, green, blue


def _field(rng: np.random.Generator, cells: tuple[int, int], side: int = SIDE) -> np.ndarray:
    small = rng.normal(0, 1, cells).astype(np.float32)
    return cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC)


def _wood(rng: np.random.Generator) -> np.ndarray:
    rings = _field(rng, (3, int(rng.integers(6, 30)))) * rng.uniform(2, 8) + _field(rng, (6, 120)) * 0.4
    grain = _field(rng, (8, 300)) * rng.uniform(0.1, 0.5)
    return np.sin(rings) + grain


def _cloth(rng: np.random.Generator) -> np.ndarray:
    period = rng.uniform(3, 14)
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    weave = np.sin(x * 2 * np.pi / period) * np.sin(y * 2 * np.pi / (period * rng.uniform(0.7, 1.4)))
    return weave * 0.6 + _field(rng, (SIDE // 2, SIDE // 2)) * 0.4 + _field(rng, (5, 5)) * 0.6


def _speckle(rng: np.random.Generator) -> np.ndarray:
    return sum(_field(rng, (size, size)) * rng.uniform(0.1, 1) for size in (4, 16, 64, 192))


def _marble(rng: np.random.Generator) -> np.ndarray:
    return np.abs(_field(rng, (5, 5)) + 0.5 * _field(rng, (14, 14)) + 0.2 * _field(rng, (50, 50))) ** 0.5 * -2


def _bricks(rng: np.random.Generator) -> np.ndarray:
    high, wide = rng.uniform(18, 80), rng.uniform(24, 160)
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    row = np.floor(y / high)
    joint = ((y % high) < 3) | (((x + row % 2 * wide / 2) % wide) < 3)
    tone = rng.normal(0, 0.6, 400)[(row * 20 + np.floor((x + row % 2 * wide / 2) / wide)).astype(int) % 400]
    return np.where(joint, rng.choice([-2.0, 2.0]), tone) + _speckle(rng) * 0.3


MAKERS = {"wood": _wood, "cloth": _cloth, "speckle": _speckle, "marble": _marble, "bricks": _bricks}


@cache
def texture(part: Part, number: int) -> Pixels:
    """Return one texture of a part, uint8 [SIDE, SIDE, 3]."""
    rng = np.random.default_rng([number, 1 if part == "validation" else 0])
    names = list(MAKERS)
    values = MAKERS[names[number % len(names)]](rng).astype(np.float32)
    values = (values - values.mean()) / max(float(values.std()), 1e-3)
    first, second = np.array(colour(rng, 20, 235), np.float32), np.array(colour(rng, 20, 235), np.float32)
    second = first + (second - first) * rng.uniform(0.2, 1)
    mix = 1 / (1 + np.exp(-values))[..., None]
    return np.clip(first * (1 - mix) + second * mix, 0, 255).astype(np.uint8)


def ground(rng: np.random.Generator, part: Part, side: int) -> Pixels:
    """Return a ground, uint8 [side, side, 3], writable."""
    if rng.random() < 0.25:
        return plain(rng, side)
    source = texture(part, int(rng.integers(TEXTURES[part])))
    return crop(rng, source, side)


def plain(rng: np.random.Generator, side: int, low: int = 0, high: int = 255) -> Pixels:
    """Return a ground of one colour or of a gradient."""
    if rng.random() < 0.5:
        return np.full((side, side, 3), colour(rng, low, high), np.uint8)
    corners = np.array([colour(rng, low, high) for _ in range(4)], np.float32).reshape(2, 2, 3)
    corners = corners.mean(axis=(0, 1)) + (corners - corners.mean(axis=(0, 1))) * rng.uniform(0.1, 1)
    return cv2.resize(corners, (side, side), interpolation=cv2.INTER_LINEAR).clip(0, 255).astype(np.uint8)


def crop(rng: np.random.Generator, source: Pixels, side: int) -> Pixels:
    """Return a random part of a picture, turned, mirrored and scaled to `side`."""
    height, width = source.shape[:2]
    taken = rng.uniform(0.45, 1.0) * min(height, width)
    x, y = rng.uniform(0, width - taken), rng.uniform(0, height - taken)
    scale = side / taken
    matrix = np.array([[scale, 0, -x * scale], [0, scale, -y * scale]], np.float64)
    cut = cv2.warpAffine(source, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    quarter = int(rng.integers(4))
    cut = np.rot90(cut, quarter) if quarter else cut
    cut = cut[:, ::-1] if rng.random() < 0.5 else cut
    gain, offset = rng.uniform(0.5, 1.2), rng.uniform(-25, 25)
    return cv2.convertScaleAbs(np.ascontiguousarray(cut), alpha=gain, beta=max(offset, 0))
