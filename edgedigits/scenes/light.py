"""What light and camera make of a painted picture."""

from functools import cache

import numpy as np

from edgedigits.scenes.opencv import cv2
from edgedigits.scenes.painter import CONTRAST, Painter
from edgedigits.scenes.scene import IGNORED, LETTER, Floats, Pixels

_SIDE = 1000


@cache
def _noise() -> tuple[Pixels, Pixels]:
    """Return noise of single pixels in colour, and softer noise in grey, both 128 + 32 standard deviations."""
    rng = np.random.default_rng(0)
    coloured = rng.normal(0, 1, (_SIDE, _SIDE, 3)).astype(np.float32)
    grey = cv2.GaussianBlur(rng.normal(0, 1, (_SIDE, _SIDE)).astype(np.float32), (0, 0), 0.8)
    grey = cv2.merge([grey / grey.std()] * 3)
    return tuple(np.clip(128 + 32 * noise, 0, 255).astype(np.uint8) for noise in (coloured, grey))  # type: ignore[return-value]


def photograph(painter: Painter) -> Pixels:
    """Return the picture as a camera or scanner gives it, and set digits near the noise to IGNORED."""
    rng, side = painter.rng, painter.side
    pixels = painter.picture
    if painter.clean:
        _judge(painter, None, 1.0, 0.0, 0.0)
        return pixels
    light, gain = None, 1.0
    if painter.chance(0.6):
        light = _light(painter, side)
        pixels = cv2.multiply(pixels, light, dtype=cv2.CV_8U)
    blur = painter.skewed(0.3, 1.6) if painter.chance(0.5) else 0.0
    if blur > 0.35:
        pixels = cv2.GaussianBlur(pixels, (0, 0), blur)
    elif painter.chance(0.1):
        # A hand that shook.
        length, angle = painter.between(2, 5), painter.between(0, 3.14)
        kernel = np.zeros((7, 7), np.float32)
        step = (length / 2 * np.cos(angle), length / 2 * np.sin(angle))
        cv2.line(kernel, (round(3 - step[0]), round(3 - step[1])), (round(3 + step[0]), round(3 + step[1])), 1.0, 1)
        pixels = cv2.filter2D(pixels, -1, kernel / kernel.sum())
        blur = length / 3
    if painter.chance(0.15):
        # Low light, or a lens that faces the sun.
        gain = painter.between(0.15, 0.6)
        pixels = cv2.convertScaleAbs(pixels, alpha=gain, beta=painter.between(0, 60))
    sigma = painter.skewed(0.7, 16) if painter.chance(0.6) else 0.0
    _judge(painter, light, gain, sigma, blur)
    if sigma > 0.9:
        y, x = (int(at) for at in rng.integers(0, _SIDE - side, 2))
        kind = 0 if painter.chance(0.5) else 1
        noise = _noise()[kind][y : y + side, x : x + side]
        # 32 levels of the stored noise are one standard deviation.
        pixels = cv2.addWeighted(pixels, 1.0, noise, sigma / 32, -128 * sigma / 32)
    if painter.chance(0.5):
        quality = int(rng.integers(25, 96))
        pixels = cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    if painter.chance(0.12):
        pixels = cv2.merge([cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)] * 3)
    return pixels


def letterboxed(painter: Painter, pixels: Pixels) -> Pixels:
    """Return the picture with bands where a wide or high picture has been padded; no mark is cut."""
    side = painter.side
    tall = painter.chance(0.5)
    start, end = painter.between(0, 0.4) * side, painter.between(0.6, 1) * side
    for mark in painter.marks:
        low, length = (mark.box[0], mark.box[2]) if tall else (mark.box[1], mark.box[3])
        start, end = min(start, low - 1), max(end, low + length + 1)
    first, last = max(int(start), 0), min(int(end) + 1, side)
    padding = int(painter.rng.choice([0, 114, 127, 128, 255]))
    padded = np.full_like(pixels, padding)
    if tall:
        padded[:, first:last] = pixels[:, first:last]
    else:
        padded[first:last] = pixels[first:last]
    return padded


def _light(painter: Painter, side: int) -> Floats:
    """Return a field of light, [side, side, 3]: a lamp's gradient and tint, and the edge of a shadow."""
    rng = painter.rng
    field = rng.uniform(1 - painter.between(0.05, 0.6), 1.08, (3, 3)).astype(np.float32)
    small = cv2.resize(field, (80, 80), interpolation=cv2.INTER_CUBIC)
    if painter.chance(0.35):
        shadow = np.ones((80, 80), np.float32)
        corners = (rng.uniform(-0.5, 1.5, (int(rng.integers(3, 6)), 2)) * 80).astype(np.int32)
        cv2.fillPoly(shadow, [corners], painter.between(0.35, 0.85))
        small = small * cv2.GaussianBlur(shadow, (0, 0), painter.skewed(0.6, 8))
    tint = rng.uniform(0.82, 1.1, 3) if painter.chance(0.3) else np.ones(3)
    light = cv2.merge([small * np.float32(tone) for tone in tint])
    enlarged: Floats = cv2.resize(light, (side, side), interpolation=cv2.INTER_LINEAR)
    return enlarged


def _judge(painter: Painter, light: Floats | None, gain: float, sigma: float, blur: float) -> None:
    """Set marks to IGNORED whose ink differs too little from its ground for the noise, and digits lost in blur."""
    for mark in painter.marks:
        x, y, width, height = mark.box
        size = max(width, height)
        lit = 1.0 if light is None else float(light[int(y + height / 2), int(x + width / 2)].max())
        needed = CONTRAST * (1 + 12 / size) + sigma * (1.8 if size < 30 else 1.2)
        if mark.contrast * lit * gain < needed or (mark.kind < LETTER and blur * 5 > size):
            mark.kind = IGNORED
