"""Grounds: what lies behind sheets and digits."""

from functools import cache

import numpy as np

from edgedigits.scenes.material import photographs
from edgedigits.scenes.opencv import cv2
from edgedigits.scenes.painter import LUMA, Colour
from edgedigits.scenes.scene import Floats, Part, Pixels

SIDE = 384
"""Side of a cached texture."""
TEXTURES = {"train": 96, "validation": 24}


def colour(rng: np.random.Generator, low: int = 0, high: int = 255) -> Colour:
    """Return a colour: its brightness between two levels, more often pale than strong."""
    level = rng.uniform(low, high)
    hue = rng.normal(0, 1, 3)
    mixed = level + (hue - hue.mean()) * rng.exponential(22)
    red, green, blue = (int(value) for value in np.clip(mixed, 0, 255))
    return red, green, blue


def _field(rng: np.random.Generator, cells: tuple[int, int], side: int = SIDE) -> Floats:
    small = rng.normal(0, 1, cells).astype(np.float32)
    field: Floats = cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC)
    return field


def _wood(rng: np.random.Generator) -> Floats:
    rings = _field(rng, (3, int(rng.integers(6, 30)))) * rng.uniform(2, 8) + _field(rng, (6, 120)) * 0.4
    grain = _field(rng, (8, 300)) * rng.uniform(0.1, 0.5)
    wood: Floats = np.sin(rings) + grain
    return wood


def _cloth(rng: np.random.Generator) -> Floats:
    period = rng.uniform(3, 14)
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    weave = np.sin(x * 2 * np.pi / period) * np.sin(y * 2 * np.pi / (period * rng.uniform(0.7, 1.4)))
    cloth: Floats = weave * 0.6 + _field(rng, (SIDE // 2, SIDE // 2)) * 0.4 + _field(rng, (5, 5)) * 0.6
    return cloth


def _speckle(rng: np.random.Generator) -> Floats:
    fields = [_field(rng, (size, size)) * np.float32(rng.uniform(0.1, 1)) for size in (4, 16, 64, 192)]
    speckle: Floats = np.sum(fields, axis=0)
    return speckle


def _marble(rng: np.random.Generator) -> Floats:
    marble: Floats = np.abs(_field(rng, (5, 5)) + 0.5 * _field(rng, (14, 14)) + 0.2 * _field(rng, (50, 50))) ** 0.5 * -2
    return marble


def _bricks(rng: np.random.Generator) -> Floats:
    high, wide = rng.uniform(18, 80), rng.uniform(24, 160)
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    row = np.floor(y / high)
    joint = ((y % high) < 3) | (((x + row % 2 * wide / 2) % wide) < 3)
    tone = rng.normal(0, 0.6, 400)[(row * 20 + np.floor((x + row % 2 * wide / 2) / wide)).astype(int) % 400]
    bricks: Floats = np.where(joint, rng.choice([-2.0, 2.0]), tone) + _speckle(rng) * 0.3
    return bricks


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
    mixed: Pixels = np.clip(first * (1 - mix) + second * mix, 0, 255).astype(np.uint8)
    return mixed


def ground(rng: np.random.Generator, part: Part, side: int) -> Pixels:
    """Return a ground, uint8 [side, side, 3]."""
    photos = photographs(part)
    chance = rng.random()
    if chance < 0.2:
        return plain(rng, side)
    if photos is not None and chance < 0.65:
        return crop(rng, photos[int(rng.integers(len(photos)))], side)
    return crop(rng, texture(part, int(rng.integers(TEXTURES[part]))), side)


def equally_bright(rng: np.random.Generator, paper: Colour) -> Colour:
    """Return a colour as bright as `paper`, and clearly another one."""
    for _ in range(20):
        other = rng.uniform(0, 255, 3)
        other *= np.dot(LUMA, paper) / max(np.dot(LUMA, other), 1)
        if other.max() <= 255 and np.abs(other - paper).max() > 70:
            break
    red, green, blue = (int(value) for value in np.clip(other, 0, 255))
    return red, green, blue


def plain(rng: np.random.Generator, side: int, low: int = 0, high: int = 255) -> Pixels:
    """Return a ground of one colour or of a gradient."""
    if rng.random() < 0.5:
        return np.full((side, side, 3), colour(rng, low, high), np.uint8)
    corners = np.array([colour(rng, low, high) for _ in range(4)], np.float32).reshape(2, 2, 3)
    corners = corners.mean(axis=(0, 1)) + (corners - corners.mean(axis=(0, 1))) * rng.uniform(0.1, 1)
    gradient: Pixels = cv2.resize(corners, (side, side), interpolation=cv2.INTER_LINEAR).clip(0, 255).astype(np.uint8)
    return gradient


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
    toned: Pixels = cv2.convertScaleAbs(np.ascontiguousarray(cut), alpha=gain, beta=max(offset, 0))
    return toned
