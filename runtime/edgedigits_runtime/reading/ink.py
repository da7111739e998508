"""Extract the ink of a picture, bright on black, from any colours, polarity and light.

Ink differs from the ground on one side. Differences on the other side, where there is no ink, measure the noise.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from edgedigits_runtime.reading.components import widened
from edgedigits_runtime.reading.ground import GAIN_BITS, LEAST_LOCAL_SIDE, Ground, find_ground, reduced, smooth_grounds
from edgedigits_runtime.reading.levels import contrast, counted, histograms, subtracted
from edgedigits_runtime.reading.resampling import resized

Ink = NDArray[np.uint8]

# The ground is estimated on a picture reduced to about this many pixels, because light changes slowly.
GROUND_PIXELS = 49_152
# Least ratio of ink to noise; blurred noise forms blots.
INK_TO_NOISE, BLURRED_TO_NOISE = 2, 3
COUNTED_PIXELS = 400_000  # Levels are counted on a grid of about this many pixels.
LEAST_CONTRAST = 8  # Less contrast, in grey levels, is no writing: JPEG and sensors alone reach some levels.
STROKE_LEVEL = 0.35  # Fraction of the full contrast from which a pixel is stroke and not smear.
FULL_CONTRAST = 230  # Contrast that is not stretched: MNIST's own images end at 254 or 255.
# Largest share of inked pixels that are traces below LEAST_CONTRAST away from strokes, as JPEG leaves them, in a clean
# picture.
CLEAN_SHARE = 0.01

# Blur radius, largest first, and the grain relative to the ink's contrast from which it is used.
GRAIN = {2: 0.3, 1: 0.12}

# Tinted paper is balanced to grey by channel gains; a smaller gain is ignored.
LEAST_GAIN = 1.15
MOST_GAIN = 2.5


def find_inks(pictures: Sequence[NDArray[np.uint8]]) -> list[Ink]:
    """Return the ink of each picture, see find_ink; small pictures of one shape are processed together."""
    inks = [np.empty(0, np.uint8)] * len(pictures)
    alike: dict[tuple[int, ...], list[int]] = {}
    for k, picture in enumerate(pictures):
        if is_small(picture):
            alike.setdefault(picture.shape, []).append(k)
        else:
            inks[k] = _of_large(picture)
    for members in alike.values():
        if pictures[members[0]].shape[2] == 1:
            members = _drawn(pictures, members, inks)
        if not members:
            continue
        extremes = [_extremes(pictures[k]) for k in members]
        darkest, lightest = (np.stack(side) for side in zip(*extremes, strict=True))
        for k, ink in zip(members, _of_small(darkest, lightest), strict=True):
            inks[k] = ink
    return inks


def is_small(picture: NDArray[np.uint8]) -> bool:
    """Return whether a picture is too small for a surround, regions and an envelope."""
    height, width, _ = picture.shape
    return bool(min(height, width) < LEAST_LOCAL_SIDE and height * width <= GROUND_PIXELS)


def find_ink(picture: NDArray[np.uint8]) -> Ink:
    """Return the ink of a picture, uint8 [H, W]: 0 where there is none, up to 255 in full strokes.

    A clean picture, such as an MNIST image, is unchanged, because its grey edges belong to the digit. In a noisy
    picture only strokes and the pixels beside them are kept, and the contrast is stretched.

    Args:
        picture: uint8 [H, W, 1] or RGB [H, W, 3], dark on light or light on dark. Coloured ink counts as black ink
            does.
    """
    return find_inks([picture])[0]


def _of_large(picture: NDArray[np.uint8]) -> Ink:
    # Here and below, so that small pictures start without them.
    from edgedigits_runtime.reading.surround import inside_surround

    inside = inside_surround(picture)
    if picture[inside].shape == picture.shape:
        return _ink(picture)
    ink = np.zeros(picture.shape[:2], np.uint8)
    ink[inside] = _ink(picture[inside])
    return ink


def _ink(picture: NDArray[np.uint8]) -> Ink:
    """Return the ink of a picture without a surround, each region in its own polarity."""
    darkest, lightest = _extremes(picture)
    if min(darkest.shape) < LEAST_LOCAL_SIDE:
        return _of_one_polarity(darkest, lightest)
    from edgedigits_runtime.reading.regions import edge_width, find_regions, without_regions

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
    """Return the ink of a picture that is all dark on light or all light on dark."""
    factor = _step(darkest, GROUND_PIXELS)
    ground = find_ground(darkest, lightest, factor)
    radius = _grain_radius(darkest if ground.dark_ink else lightest, ground, factor)
    if radius:
        darkest, lightest = _blurred(darkest, radius), _blurred(lightest, radius)
        ground = find_ground(darkest, lightest, factor)
    ink, other = _sides(darkest if ground.dark_ink else lightest, ground, factor)
    noise = _noise(_counted(other), np.array([ground.uniform]))
    peak = _peak(_counted(ink), noise)
    if peak[0] >= LEAST_CONTRAST and min(ink.shape) >= LEAST_LOCAL_SIDE:
        from edgedigits_runtime.reading.ruled_lines import without_ruled_lines

        ink = without_ruled_lines(ink, int(peak[0]), int(noise[0]))
        peak = _peak(_counted(ink), noise)
    written: Ink = _strokes(ink[np.newaxis], peak, noise, blurred=radius > 0)[0]
    return written


def _drawn(pictures: Sequence[NDArray[np.uint8]], members: list[int], inks: list[Ink]) -> list[int]:
    """Set the ink of clean drawings on black or white, exactly as _of_small does, and return the other members."""
    ink = np.array([pictures[k][..., 0] for k in members])
    # On white, ink is dark.
    ink ^= np.where(ink[:, :1, :1] < 128, np.uint8(0), np.uint8(255))
    rims = np.concatenate([ink[:, 0], ink[:, -1], ink[:, :, 0], ink[:, :, -1]], axis=1)
    cubes = np.power(flat := ink.reshape(len(ink), -1).astype(np.float64), 3)
    peak = np.rint(np.add.reduce(cubes * flat, 1) / np.maximum(np.add.reduce(cubes, 1), 1))
    drawn = (rims.max(axis=1) == 0) & (flat.max(axis=1) >= FULL_CONTRAST) & (peak >= LEAST_CONTRAST)
    drawn &= _are_clean(ink, widened(ink >= np.ceil(STROKE_LEVEL * peak)[:, np.newaxis, np.newaxis]))
    for k, own, is_drawn in zip(members, ink, drawn.tolist(), strict=True):
        if is_drawn:
            inks[k] = own
    return [k for k, is_drawn in zip(members, drawn.tolist(), strict=True) if not is_drawn]


def _of_small(darkest: Ink, lightest: Ink) -> Ink:
    """Return the ink of small pictures of one shape, uint8 [N, H, W]: they have smooth ground and no ruled lines."""
    ground = smooth_grounds(darkest, lightest)
    grey = np.where(ground.dark_ink[:, np.newaxis, np.newaxis], darkest, ~lightest)
    ink, other = subtracted(ground.level, grey), subtracted(grey, ground.level)
    noise = _noise(histograms(other), ground.uniform)
    return _strokes(ink, _peak(histograms(ink), noise), noise, blurred=False)


def _strokes(ink: Ink, peak: NDArray[np.int64], noise: NDArray[np.int64], *, blurred: bool) -> Ink:
    """Return the written part of each picture's ink, uint8 [N, H, W], with full contrast."""
    least = np.ceil(np.maximum(noise + 1, STROKE_LEVEL * peak)).astype(np.int16)
    strokes = widened(ink >= least[:, np.newaxis, np.newaxis])
    clean = (noise == 0) & (not blurred)
    clean[clean] = _are_clean(ink[clean], strokes[clean])
    written_on = peak >= np.maximum(LEAST_CONTRAST, (BLURRED_TO_NOISE if blurred else INK_TO_NOISE) * noise)
    strokes[clean], strokes[~written_on] = True, False
    written: Ink = ink * strokes
    full = np.where(clean, ink.max(axis=(1, 2)), peak)
    for k in np.flatnonzero(written_on & (full < FULL_CONTRAST)).tolist():
        written[k] = _stretched(written[k], int(full[k]))
    return written


def _step(picture: NDArray[np.uint8], pixels: int) -> int:
    """Return the step that reduces a picture to about this many pixels."""
    return math.ceil(math.sqrt(picture.shape[0] * picture.shape[1] / pixels))


def _extremes(picture: NDArray[np.uint8]) -> tuple[Ink, Ink]:
    """Return each pixel's darkest and lightest channel, uint8 [H, W], after balancing the paper to grey."""
    if picture.shape[2] == 1:
        return picture[..., 0], picture[..., 0]
    # Separate channels, because interleaved ones are compared one pixel at a time.
    channels = [np.ascontiguousarray(picture[..., channel]) for channel in range(3)]
    lightest = np.maximum(np.maximum(channels[0], channels[1]), channels[2])
    step = _step(picture, GROUND_PIXELS)
    paper = np.maximum(np.median(picture[::step, ::step].reshape(-1, 3), axis=0), 1)
    gains = np.minimum(paper.max() / paper, MOST_GAIN)
    gains[gains < LEAST_GAIN] = 1
    red, green, blue = map(_multiplied, channels, gains)
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
    return resized(small, width, height, part=(width / factor, height / factor))


def _grain_radius(grey: Ink, ground: Ground, factor: int) -> int:
    """Return the blur radius for a picture whose grain nearly reaches its ink, after dithering or in low light."""
    if min(grey.shape) < LEAST_LOCAL_SIDE:
        return 0
    small = reduced(grey, factor)
    ink = subtracted(ground.level, small if ground.dark_ink else ~small)
    full = float(contrast(counted(ink)))
    return next((radius for radius, part in GRAIN.items() if _grain(grey) > part * full), 0)


def _blurred(grey: Ink, radius: int) -> Ink:
    return np.asarray(Image.fromarray(grey).filter(ImageFilter.BoxBlur(radius)))


def _grain(grey: Ink) -> float:
    """Return the standard deviation of pixels around the mean of their neighbours, if it were Gaussian."""
    rows = grey[:: _step(grey, COUNTED_PIXELS) ** 2].astype(np.int16)
    away = np.abs(2 * rows[:, 1:-1] - rows[:, :-2] - rows[:, 2:])
    mean: float = np.mean(away).item()
    return mean / (math.sqrt(6) * math.sqrt(2 / math.pi))


def _sides(grey: Ink, ground: Ground, factor: int) -> tuple[Ink, Ink]:
    """Return distances from the ground on the ink's side and, of some pixels, on the other; amplified in weak light."""
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


def _are_clean(ink: Ink, strokes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return whether each picture has hardly any faint traces away from the strokes."""
    traces = (ink > 0) & (ink < LEAST_CONTRAST) & ~strokes
    counts = [(np.count_nonzero(trace), np.count_nonzero(each)) for trace, each in zip(traces, ink, strict=True)]
    return np.array([trace <= CLEAN_SHARE * all_ink for trace, all_ink in counts], bool)


def _counted(grey: Ink) -> NDArray[np.int64]:
    """Count the levels of one picture, or of a grid of its pixels if it is large: int64 [1, 256]."""
    step = _step(grey, COUNTED_PIXELS)
    return counted(grey[::step, ::step])[np.newaxis]


def _peak(histogram: NDArray[np.int64], noise: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the contrast of full strokes above the noise, int64 [N], by histograms [N, 256]."""
    above = np.where(np.arange(256) > noise[:, np.newaxis], histogram, 0)
    return np.rint(contrast(above)).astype(np.int64)


def _noise(histogram: NDArray[np.int64], uniform: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the reach of the noise, int64 [N]: the 99th percentile, or its estimate from the 90th for Gaussian noise.

    A ground that follows edges is wrong beside them; the 90th percentile ignores so few pixels.
    """
    noise = _quantile(histogram, 0.99)
    gaussian = np.rint(2.33 / 1.28 * _quantile(histogram, 0.90)).astype(np.int64) + 1
    return np.where(uniform, noise, np.minimum(noise, gaussian))


def _quantile(histogram: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """Return the smallest level that at least `share` of the counted do not exceed, int64 [N]; 0 where none is."""
    counts = np.cumsum(histogram, axis=1)
    return np.asarray(np.count_nonzero(counts < share * counts[:, -1:], axis=1))


def _stretched(ink: Ink, peak: int) -> Ink:
    """Return the ink of one picture, uint8 [H, W], scaled so that `peak` becomes 255."""
    table = np.minimum(np.rint(np.arange(256) * (255 / peak)), 255).astype(int).tolist()
    return np.asarray(Image.fromarray(ink).point(table))
