"""What light and camera make of a painted picture."""

from functools import cache

import cv2
import numpy as np

from edgedigits.scenes.painter import IGNORED, LETTER, Painter
from edgedigits.scenes.scene import Floats, Pixels


@cache
def _noise() -> Floats:
    return np.random.default_rng(0).normal(0, 1, (700, 700, 3)).astype(np.float32)


def photograph(painter: Painter) -> Pixels:
    """Return the picture as a camera or scanner gives it, and set digits near the noise to IGNORED."""
    rng, picture = painter.rng, painter.picture.astype(np.float32)
    side = painter.side
    if painter.chance(0.6):
        picture *= _light(painter, side)[..., None]
    if painter.chance(0.2):
        picture *= rng.uniform(0.8, 1.2, 3).astype(np.float32)
    blur = painter.skewed(0.3, 1.6) if painter.chance(0.5) else 0.0
    if blur > 0.35:
        picture = cv2.GaussianBlur(picture, (0, 0), blur)
    if painter.chance(0.15):
        # Low light, or a lens that faces the sun.
        gain = painter.between(0.15, 0.6)
        picture = picture * gain + painter.between(0, 60)
    sigma = painter.skewed(0.7, 16) if painter.chance(0.6) else 0.0
    _judge(painter, picture, sigma, blur)
    if sigma:
        y, x = (int(at) for at in rng.integers(0, 700 - side, 2))
        noise = _noise()[y : y + side, x : x + side]
        if painter.chance(0.4):
            noise = cv2.GaussianBlur(noise, (0, 0), 0.8) * 2
        picture = picture + noise * sigma if painter.chance(0.6) else picture + noise[..., :1] * sigma
    pixels = np.clip(picture, 0, 255).astype(np.uint8)
    if painter.chance(0.5):
        quality = int(rng.integers(25, 96))
        pixels = cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    return pixels


def _light(painter: Painter, side: int) -> Floats:
    """Return a field of light: a lamp's gradient, and the edge of a shadow."""
    rng = painter.rng
    field = rng.uniform(1 - painter.between(0.05, 0.6), 1.08, (3, 3)).astype(np.float32)
    light = cv2.resize(field, (side, side), interpolation=cv2.INTER_CUBIC)
    if painter.chance(0.35):
        small = np.ones((80, 80), np.float32)
        corners = (rng.uniform(-0.5, 1.5, (int(rng.integers(3, 6)), 2)) * 80).astype(np.int32)
        cv2.fillPoly(small, [corners], painter.between(0.35, 0.85))
        small = cv2.GaussianBlur(small, (0, 0), painter.skewed(0.6, 8))
        light *= cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)
    return light


def _judge(painter: Painter, picture: Floats, sigma: float, blur: float) -> None:
    """Set marks to IGNORED whose ink differs too little from its surroundings for the noise and the blur."""
    needed = painter.contrast_needed + 1.5 * sigma
    for mark in painter.marks:
        if mark.kind == IGNORED:
            continue
        x, y, width, height = (int(value) for value in mark.box)
        inside = picture[y : y + height, x : x + width].reshape(-1, 3)
        spread = float(inside.std(axis=0).max())
        if spread * 2 < needed or (mark.kind < LETTER and blur * 5 > max(width, height)):
            mark.kind = IGNORED
