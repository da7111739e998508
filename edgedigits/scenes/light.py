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
    pixels = painter.picture
    light, gain, blur = None, 1.0, 0.0
    if painter.chance(0.12):
        pixels, blur = _coarse(painter, pixels)
    if painter.clean:
        _judge(painter, None, 1.0, 0.0, blur)
        return pixels
    if painter.chance(0.6):
        light = _light(painter, painter.side)
        pixels = cv2.multiply(pixels, light, dtype=cv2.CV_8U)
    if painter.chance(0.08):
        pixels = cv2.add(pixels, _glare(painter))
    if painter.chance(0.6):
        pixels, softened = _lens(painter, pixels)
        blur = max(blur, softened)
    if painter.chance(0.15):
        # Low light, or a lens that faces the sun.
        gain = painter.between(0.15, 0.6)
        pixels = cv2.convertScaleAbs(pixels, alpha=gain, beta=painter.between(0, 60))
    sigma = painter.skewed(0.7, 16) if painter.chance(0.6) else 0.0
    _judge(painter, light, gain, sigma, blur)
    if sigma > 0.9:
        y, x = (int(at) for at in painter.rng.integers(0, _SIDE - painter.side, 2))
        noise = _noise()[int(painter.chance(0.5))][y : y + painter.side, x : x + painter.side]
        # 32 levels of the stored noise are one standard deviation.
        pixels = cv2.addWeighted(pixels, 1.0, noise, sigma / 32, -128 * sigma / 32)
    return _stored(painter, pixels)


def _coarse(painter: Painter, pixels: Pixels) -> tuple[Pixels, float]:
    """Return the picture as if enlarged from a smaller one, and the blur that this is worth."""
    factor = painter.skewed(1.3, 5)
    small = cv2.resize(pixels, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    ways = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC)
    large = cv2.resize(small, (painter.side, painter.side), interpolation=ways[int(painter.rng.integers(3))])
    return large, 1.3 * factor


def _lens(painter: Painter, pixels: Pixels) -> tuple[Pixels, float]:
    """Return the picture out of focus, shaken, or sharpened by the camera, and the blur."""
    chance = painter.rng.random()
    if chance < 0.65:
        blur = painter.skewed(0.35, 1.6)
        return cv2.GaussianBlur(pixels, (0, 0), blur), blur
    if chance < 0.8:
        soft = cv2.GaussianBlur(pixels, (0, 0), painter.between(0.8, 2.5))
        strength = painter.between(0.3, 1.5)
        return cv2.addWeighted(pixels, 1 + strength, soft, -strength, 0), 0.0
    length, angle = painter.between(2, 5), painter.between(0, np.pi)
    kernel = np.zeros((7, 7), np.float32)
    x, y = length / 2 * np.cos(angle), length / 2 * np.sin(angle)
    cv2.line(kernel, (round(3 - x), round(3 - y)), (round(3 + x), round(3 + y)), 1.0, 1)
    return cv2.filter2D(pixels, -1, kernel / kernel.sum()), length / 3


def _glare(painter: Painter) -> Pixels:
    """Return the light of a lamp that mirrors in a screen or board."""
    spot = np.zeros((80, 80, 3), np.uint8)
    level = int(painter.between(30, 110))
    x, y, wide, tall = (int(value) for value in painter.rng.integers(4, 76, 4))
    cv2.ellipse(spot, (x, y), (wide // 3 + 2, tall // 3 + 2), painter.between(0, 180), 0, 360, (level,) * 3, -1)
    soft = cv2.GaussianBlur(spot, (0, 0), painter.skewed(1, 8))
    glare: Pixels = cv2.resize(soft, (painter.side, painter.side), interpolation=cv2.INTER_LINEAR)
    return glare


def _stored(painter: Painter, pixels: Pixels) -> Pixels:
    """Return the picture with another tone curve, compressed, or in grey."""
    if painter.chance(0.15):
        levels = np.linspace(0, 1, 256) ** painter.skewed(0.6, 1.7)
        pixels = cv2.LUT(pixels, np.rint(255 * levels).astype(np.uint8))
    if painter.chance(0.5):
        quality = int(painter.rng.integers(25, 96))
        pixels = cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    if painter.chance(0.12):
        pixels = cv2.merge([cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)] * 3)
    return pixels


def letterboxed(painter: Painter, pixels: Pixels) -> Pixels:
    """Return a part of the picture in a plain border, as wide, high and small pictures come; no mark is cut."""
    side = painter.side
    boxes = np.array([mark.box for mark in painter.marks] or [(side / 2, side / 2, 0, 0)])
    window = [slice(0, side), slice(0, side)]
    small = painter.chance(0.4)
    across = painter.chance(0.5)
    for axis in (0, 1) if small else (int(across),):
        start, end = painter.between(0, 0.7 if small else 0.4), painter.between(0.3 if small else 0.6, 1)
        low, high = boxes[:, 1 - axis].min(), (boxes[:, 1 - axis] + boxes[:, 3 - axis]).max()
        low, high = min(low - 1, min(start, end) * side), max(high + 1, (max(start, end) + 0.1) * side)
        window[axis] = slice(max(int(low), 0), min(int(high) + 1, side))
    seen = pixels[window[0], window[1]]
    edges = np.concatenate([seen[0], seen[-1], seen[:, 0], seen[:, -1]])
    # The reader's border has the median colour of the outermost pixels, others' are black, grey or white.
    border = np.median(edges, axis=0) if painter.chance(0.75) else painter.rng.choice([0, 114, 128, 255])
    padded: Pixels = np.empty_like(pixels)
    padded[:] = border
    padded[window[0], window[1]] = seen
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
