"""Ground and ink: what was written, bright on black, whatever the picture's polarity and light.

The ground is a smooth surface fitted to the picture so that strokes do not pull at it; ink is what lies to
the heavier side of it. How far the ground strays to the other side, where no ink is, measures the noise.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

Ink = NDArray[np.uint8]

# The ground is fitted on a picture reduced to this longest side: light changes slowly.
FIT_SIDE = 64

# Below this contrast, in grey levels, nothing was written: JPEG and sensors alone reach some levels.
LEAST_CONTRAST = 8

# The part of the full contrast at which a pixel is taken as stroke and no longer as smear.
STROKE_LEVEL = 0.35

# Contrast that needs no stretching: MNIST's own images end at 254 or 255.
FULL_CONTRAST = 230

# A clean picture has hardly any traces below LEAST_CONTRAST away from its strokes, as JPEG leaves them: at most
# this part of its inked pixels.
CLEAN_SHARE = 0.01


def find_ink(picture: NDArray[np.uint8]) -> Ink:
    """Return the ink of a grey picture, uint8 [H, W]: 0 where there is none, up to 255 in full strokes.

    A clean picture, such as an MNIST image, comes out as it is: its grey edges belong to the digit. In a noisy
    one only strokes and the pixels beside them stay, and the contrast is stretched.

    Args:
        picture: uint8 [H, W, 1], dark on light or light on dark.
    """
    image = Image.fromarray(picture[..., 0])
    ground = _ground(image)
    # Ink lies far from the ground on one side, noise near it on both: the third moment tells the side.
    sides = (ImageChops.subtract(image, ground), ImageChops.subtract(ground, image))
    other, ink_side = sorted(sides, key=_third_moment)
    ink = np.asarray(ink_side)
    noise = _quantile(_histogram(other), 0.99)
    above_noise = np.where(np.arange(256) > noise, _histogram(ink_side), 0)
    peak = _quantile(above_noise, 0.95)
    if peak < max(LEAST_CONTRAST, 2 * noise):
        return np.zeros_like(ink)
    strokes = _widened(ink >= max(noise + 1, STROKE_LEVEL * peak))
    if noise == 0 and _is_clean(ink, strokes):
        return _stretched(ink, int(ink.max()))
    return _stretched(ink * strokes, peak)


def _is_clean(ink: Ink, strokes: NDArray[np.bool_]) -> bool:
    """Say whether hardly any faint traces lie away from the strokes."""
    traces = (ink > 0) & (ink < LEAST_CONTRAST) & ~strokes
    return bool(np.count_nonzero(traces) <= CLEAN_SHARE * np.count_nonzero(ink))


def _ground(image: Image.Image) -> Image.Image:
    """Return the ground's level under every pixel, mode L, of the same size."""
    factor = max(1, -(-max(image.size) // FIT_SIDE))
    small = np.asarray(image.reduce(factor) if factor > 1 else image).astype(np.float32)
    border = np.concatenate([small[0], small[-1], small[1:-1, 0], small[1:-1, -1]])
    level = float(np.median(border))
    if np.median(np.abs(border - level)) == 0:
        return Image.new("L", image.size, round(level))
    surface = Image.fromarray(np.clip(np.rint(_fitted(small, level)), 0, 255).astype(np.uint8))
    return surface.resize(image.size, Image.Resampling.BILINEAR) if factor > 1 else surface


def _fitted(small: NDArray[np.float32], level: float) -> NDArray[np.float32]:
    """Fit a quadratic surface to the ground of float32 [h, w], starting from its level at the border.

    Iteratively reweighted least squares with Tukey's biweight (Beaton and Tukey 1974): pixels far from the
    surface, the strokes, lose their weight whichever side they lie on.
    """
    y, x = np.meshgrid(*(np.linspace(-1, 1, side) for side in small.shape), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).reshape(-1, 6)
    values = small.reshape(-1).astype(np.float64)
    surface = np.full_like(values, level)
    for _ in range(8):
        residual = values - surface
        scale = max(4.685 * 1.4826 * float(np.median(np.abs(residual))), 6.0)
        weight = np.square(np.maximum(1 - np.square(residual / scale), 0))
        weighted = terms * weight[:, np.newaxis]
        surface = terms @ np.linalg.lstsq(weighted.T @ terms, weighted.T @ values, rcond=None)[0]
    return surface.reshape(small.shape).astype(np.float32)


def _histogram(image: Image.Image) -> NDArray[np.int64]:
    return np.array(image.histogram(), np.int64)


def _third_moment(image: Image.Image) -> float:
    return float(_histogram(image) @ np.arange(256, dtype=np.float64) ** 3)


def _quantile(histogram: NDArray[np.int64], share: float) -> int:
    """Return the smallest level that at least `share` of the counted do not exceed; 0 where none is counted."""
    counts = np.cumsum(histogram)
    return int(np.searchsorted(counts, share * counts[-1])) if counts[-1] else 0


def _widened(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Add the eight neighbours of every pixel."""
    rows = mask.copy()
    rows[1:] |= mask[:-1]
    rows[:-1] |= mask[1:]
    wide = rows.copy()
    wide[:, 1:] |= rows[:, :-1]
    wide[:, :-1] |= rows[:, 1:]
    return wide


def _stretched(ink: Ink, peak: int) -> Ink:
    if peak >= FULL_CONTRAST:
        return ink
    table = np.minimum(np.rint(np.arange(256) * (255 / peak)), 255).astype(np.uint8)
    stretched: Ink = table[ink]
    return stretched
