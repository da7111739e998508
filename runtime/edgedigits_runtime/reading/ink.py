"""Ink: what was written, bright on black, whatever the picture's colours, polarity and light.

Ink is what lies to the heavier side of the ground. How far the ground strays to the other side, where no ink is,
measures the noise.
"""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from edgedigits_runtime.reading.border import within_frame
from edgedigits_runtime.reading.envelope import contrast, subtracted
from edgedigits_runtime.reading.ground import GAIN_BITS, LEAST_LOCAL_SIDE, Ground, find_ground, reduced
from edgedigits_runtime.reading.regions import edge_width, find_regions, without_regions
from edgedigits_runtime.reading.rules import without_rules

Ink = NDArray[np.uint8]

# The ground is looked for on a picture reduced to about so many pixels: light changes slowly.
GROUND_PIXELS = 49_152

# How far ink has to stand out from noise; blurred noise comes in blots.
INK_TO_NOISE, BLURRED_TO_NOISE = 2, 3

# Levels are counted on a grid of about so many pixels.
COUNTED_PIXELS = 400_000

# Below this contrast, in grey levels, nothing was written: JPEG and sensors alone reach some levels.
LEAST_CONTRAST = 8

# The part of the full contrast at which a pixel is taken as stroke and no longer as smear.
STROKE_LEVEL = 0.35

# Contrast that needs no stretching: MNIST's own images end at 254 or 255.
FULL_CONTRAST = 230

# A clean picture has hardly any traces below LEAST_CONTRAST away from its strokes, as JPEG leaves them: at most
# this part of its inked pixels.
CLEAN_SHARE = 0.01

# From which part of the ink's contrast on grain is blurred, by radius, the strongest first.
GRAIN = {2: 0.3, 1: 0.12}

# Tinted paper is balanced to grey, channel by channel; a tint of less than this is none.
LEAST_GAIN = 1.15
MOST_GAIN = 2.5


def find_ink(picture: NDArray[np.uint8]) -> Ink:
    """Return the ink of a picture, uint8 [H, W]: 0 where there is none, up to 255 in full strokes.

    A clean picture, such as an MNIST image, comes out as it is: its grey edges belong to the digit. In a noisy
    one only strokes and the pixels beside them stay, and the contrast is stretched.

    Args:
        picture: uint8 [H, W, 1] or RGB [H, W, 3], dark on light or light on dark. Colour counts as ink: a blue
            or red pen is as dark as black.
    """
    inside = within_frame(picture)
    if picture[inside].shape == picture.shape:
        return _ink(picture)
    ink = np.zeros(picture.shape[:2], np.uint8)
    ink[inside] = _ink(picture[inside])
    return ink


def _ink(picture: NDArray[np.uint8]) -> Ink:
    """Return the ink of a picture without a frame, as find_ink does: that of every region in its own polarity."""
    darkest, lightest = _extremes(picture)
    if min(darkest.shape) < LEAST_LOCAL_SIDE:
        return _of_one_polarity(darkest, lightest)
    factor = _step(picture, GROUND_PIXELS)
    regions = find_regions(reduced(darkest, factor), factor, darkest.shape)
    if not regions:
        return _of_one_polarity(darkest, lightest)
    edge = edge_width(factor)
    wide = [region.grown(edge, darkest.shape) for region in regions]
    ink = _of_one_polarity(*_extremes(without_regions(picture, wide))).copy()
    for region in wide:
        ink[region.box][region.mask()] = 0
    for region in regions:
        inner = region.shrunk(edge)
        if inner is not None:
            ink[inner.box][inner.mask()] = _ink(inner.cut(picture))[inner.mask()]
    return ink


def _of_one_polarity(darkest: Ink, lightest: Ink) -> Ink:
    """Return the ink of a picture that is written all in dark or all in light, as find_ink does."""
    factor = _step(darkest, GROUND_PIXELS)
    ground = find_ground(darkest, lightest, factor)
    radius = _grain_radius(darkest if ground.dark_ink else lightest, ground, factor)
    if radius:
        darkest, lightest = _blurred(darkest, radius), _blurred(lightest, radius)
        ground = find_ground(darkest, lightest, factor)
    ink, other = _sides(darkest if ground.dark_ink else lightest, ground, factor)
    noise = _noise(_histogram(other), uniform=ground.uniform)
    peak = _peak(ink, noise)
    if peak >= LEAST_CONTRAST and min(ink.shape) >= LEAST_LOCAL_SIDE:
        ink = without_rules(ink, peak, noise)
        peak = _peak(ink, noise)
    if peak < max(LEAST_CONTRAST, (BLURRED_TO_NOISE if radius else INK_TO_NOISE) * noise):
        return np.zeros_like(ink)
    strokes = _widened(ink >= max(noise + 1, STROKE_LEVEL * peak))
    if noise == 0 and not radius and _is_clean(ink, strokes):
        return _stretched(ink, int(ink.max()))
    return _stretched(ink * strokes, peak)


def _step(picture: NDArray[np.uint8], pixels: int) -> int:
    """Return by how much each side is reduced for about so many pixels."""
    return math.ceil(math.sqrt(picture.shape[0] * picture.shape[1] / pixels))


def _extremes(picture: NDArray[np.uint8]) -> tuple[Ink, Ink]:
    """Return each pixel's darkest and lightest channel, uint8 [H, W], the paper balanced to grey.

    Dark ink of any colour is dark in some channel, light ink light in one.
    """
    if picture.shape[2] == 1:
        return picture[..., 0], picture[..., 0]
    lightest = np.maximum(np.maximum(picture[..., 0], picture[..., 1]), picture[..., 2])
    step = _step(picture, GROUND_PIXELS)
    paper = np.maximum(np.median(picture[::step, ::step].reshape(-1, 3), axis=0), 1)
    gains = np.minimum(paper.max() / paper, MOST_GAIN)
    gains[gains < LEAST_GAIN] = 1
    red, green, blue = (_multiplied(picture[..., channel], gains[channel]) for channel in range(3))
    return np.minimum(np.minimum(red, green), blue), lightest


def _multiplied(channel: NDArray[np.uint8], gain: float) -> NDArray[np.uint8]:
    if gain == 1:
        return channel
    table = np.minimum(np.rint(np.arange(256) * gain), 255).astype(np.uint8)
    multiplied: NDArray[np.uint8] = table[channel]
    return multiplied


def _enlarged(small: Ink, shape: tuple[int, int], factor: int) -> Ink:
    if factor == 1:
        return small
    height, width = shape
    # The last block of a reduced picture may reach beyond the picture.
    box = (0, 0, width / factor, height / factor)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BILINEAR, box))


def _grain_radius(grey: Ink, ground: Ground, factor: int) -> int:
    """Return by how much to blur a picture whose grain nearly reaches its ink, as dithering and low light make it."""
    if min(grey.shape) < LEAST_LOCAL_SIDE:
        return 0
    small = reduced(grey, factor)
    ink = subtracted(ground.level, small if ground.dark_ink else ~small)
    full = contrast(np.bincount(ink.reshape(-1), minlength=256))
    return next((radius for radius, part in GRAIN.items() if _grain(grey) > part * full), 0)


def _blurred(grey: Ink, radius: int) -> Ink:
    return np.asarray(Image.fromarray(grey).filter(ImageFilter.BoxBlur(radius)))


def _grain(grey: Ink) -> float:
    """Return the standard deviation of pixels about the mean of their neighbours, were it Gaussian."""
    rows = grey[:: _step(grey, COUNTED_PIXELS) ** 2].astype(np.int16)
    away = np.abs(2 * rows[:, 1:-1] - rows[:, :-2] - rows[:, 2:])
    mean: float = np.mean(away).item()
    return mean / (math.sqrt(6) * math.sqrt(2 / math.pi))


def _sides(grey: Ink, ground: Ground, factor: int) -> tuple[Ink, Ink]:
    """Return how far each pixel lies from the ground to the ink's side, in even light, and some to the other."""
    level = _enlarged(ground.level, (grey.shape[0], grey.shape[1]), factor)
    grey = grey if ground.dark_ink else ~grey
    grid = (slice(None, None, _step(grey, COUNTED_PIXELS)),) * 2
    ink, other = subtracted(level, grey), subtracted(grey[grid], level[grid])
    if ground.gain is None:
        return ink, other
    gain = _enlarged(ground.gain, (grey.shape[0], grey.shape[1]), factor)
    return _strengthened(ink, gain), _strengthened(other, gain[grid])


def _strengthened(ink: Ink, gain: Ink) -> Ink:
    product = np.multiply(ink, gain, dtype=np.uint16)
    product >>= GAIN_BITS
    return np.minimum(product, 255, out=product).astype(np.uint8)


def _is_clean(ink: Ink, strokes: NDArray[np.bool_]) -> bool:
    """Say whether hardly any faint traces lie away from the strokes."""
    traces = (ink > 0) & (ink < LEAST_CONTRAST) & ~strokes
    return bool(np.count_nonzero(traces) <= CLEAN_SHARE * np.count_nonzero(ink))


def _histogram(grey: Ink) -> NDArray[np.int64]:
    """Count the levels, of a large picture those of a grid of pixels."""
    step = _step(grey, COUNTED_PIXELS)
    return np.bincount(grey[::step, ::step].reshape(-1), minlength=256)


def _peak(ink: Ink, noise: int) -> int:
    """Return the contrast of full strokes above the noise."""
    return round(contrast(np.where(np.arange(256) > noise, _histogram(ink), 0)))


def _noise(histogram: NDArray[np.int64], *, uniform: bool) -> int:
    """Return how far noise strays: the 99th percentile, or where it is Gaussian the same by the 90th.

    A ground that follows edges is off beside them; the 90th percentile does not see so few pixels.
    """
    noise = _quantile(histogram, 0.99)
    return noise if uniform else min(noise, round(2.33 / 1.28 * _quantile(histogram, 0.90)) + 1)


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
    table = np.minimum(np.rint(np.arange(256) * (255 / peak)), 255).astype(int).tolist()
    return np.asarray(Image.fromarray(ink).point(table))
