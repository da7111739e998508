"""Estimate the brightness of the bare paper at every pixel, and whether the ink is darker or lighter.

Works on a reduced picture, because light changes slowly. The ground is one of three kinds: one level, if the border has
one (drawings); a smooth surface, fitted robustly against strokes (small pictures); or the envelope, which follows the
edges of shadows, pages and tables (photos).
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgedigits_runtime.reading.levels import Grey, ink_weights, subtracted

# A smaller side has too few pixels for windows; its strokes are as wide as the gaps between them.
LEAST_LOCAL_SIDE = 64
UNIFORM_SHARE = 0.75  # The border is uniform if this share of its pixels is within a level of the median.
FIT_SIDE = 64  # The surface is fitted to a grid of at most this many pixels a side.
# A surface with this range of levels follows more than light. Ink never covers LIT_SHARE of the picture or LIT_BORDER
# of its border.
STEEP = 128
LIT_SHARE = 0.4
LIT_BORDER = 0.15
# A surface with at most EVEN levels is even light with noise. Strokes as broad as BROAD of the longest side are found
# on it, because an envelope's window that holds them might cover the whole picture.
EVEN = 4
BROAD = 0.1
# Windows to compare strokes with the gaps between them, as fractions of the longest side.
NARROW = (1 / 48, 1 / 24, 1 / 12, 1 / 6)
NEARLY_ALL = 0.7
HEAVIER = 2.0
# Where light falls below this fraction of the paper's, ink is weaker by as much; it is amplified, at most MOST_GAIN
# times.
SHADE = 0.9
MOST_GAIN = 3.0
GAIN_BITS = 6
# Ground darker than any shadow, or of another tint (darkest divided by lightest channel), is not paper.
DARKEST_SHADE = 0.3
OTHER_TINT = 0.25


class Ground(NamedTuple):
    """The ground of a picture, for ink of one polarity.

    Attributes:
        dark_ink: whether the ink is darker than the ground.
        level: uint8 [h, w], the ground under every pixel of the reduced picture; inverted where ink is light, so that
            ink is always darker than it.
        uniform: whether it is one level.
        gain: uint8 [h, w], the amplification of ink times 2 ** GAIN_BITS, 0 where there is no paper; None if the light
            is even.
    """

    dark_ink: bool
    level: Grey
    uniform: bool = False
    gain: Grey | None = None


class SmoothGrounds(NamedTuple):
    """The smooth grounds of N pictures: dark_ink bool [N], level uint8 [N, h, w], uniform bool [N]."""

    dark_ink: NDArray[np.bool_]
    level: Grey
    uniform: NDArray[np.bool_]


def find_ground(darkest: Grey, lightest: Grey, factor: int) -> Ground:
    """Find the ground of a picture by each pixel's darkest and lightest channel, uint8 [H, W], reduced by `factor`."""
    sides = {True: reduced(darkest, factor), False: ~reduced(lightest, factor)}
    borders = {True: _border(darkest[np.newaxis]), False: _border(~lightest[np.newaxis])}
    grounds = _smooth_grounds({side: grey[np.newaxis] for side, grey in sides.items()}, borders)
    dark_ink, surface, uniform = bool(grounds.dark_ink[0]), grounds.level[0], bool(grounds.uniform[0])
    if min(surface.shape) < LEAST_LOCAL_SIDE:
        return Ground(dark_ink, surface, uniform)
    # Here, so that small pictures start without them.
    from edgedigits_runtime.reading.envelope import closed, envelope, is_thin, mean_stroke_width, strong
    from edgedigits_runtime.reading.sheets import are_sheets

    ink = strong(subtracted(surface, sides[dark_ink]))
    # Light never falls off so steeply and ink never covers so much: it is a page or a shadow.
    lit = ink.mean() >= LIT_SHARE or _border(ink[np.newaxis]).mean() >= LIT_BORDER
    if not uniform and (lit or np.ptp(surface) >= STEEP):
        dark_ink = _narrower(sides, dark_ink)
    elif are_sheets(ink) and is_thin(sides[not dark_ink]):
        dark_ink = not dark_ink
    elif uniform or (np.ptp(surface) <= EVEN and mean_stroke_width(ink) >= BROAD * max(ink.shape)):
        return Ground(dark_ink, surface, uniform)
    level, window = envelope(sides[dark_ink])
    return Ground(dark_ink, level, gain=_gain(level, closed(~sides[False], window)) if dark_ink else None)


def smooth_grounds(darkest: Grey, lightest: Grey) -> SmoothGrounds:
    """Find the grounds of small pictures, uint8 [N, H, W] each, as find_ground does."""
    sides = {True: darkest, False: ~lightest}
    return _smooth_grounds(sides, {side: _border(grey) for side, grey in sides.items()})


def _smooth_grounds(sides: dict[bool, Grey], borders: dict[bool, Grey]) -> SmoothGrounds:
    """Find the smooth ground of each picture, by dark_ink its levels [N, h, w] and those of its border [N, P]."""
    levels = {side: _levels(border) for side, border in borders.items()}
    smooth = {side: _smooth(grey, *levels[side]) for side, grey in sides.items()}
    # Ink is far from the ground on one side; noise is near it on both.
    heavy = {side: ink_weights(subtracted(smooth[side], grey)) for side, grey in sides.items()}
    dark_ink = heavy[True] >= heavy[False]
    return SmoothGrounds(
        dark_ink,
        np.where(dark_ink[:, np.newaxis, np.newaxis], smooth[True], smooth[False]),
        np.where(dark_ink, levels[True][1], levels[False][1]),
    )


def _narrower(sides: dict[bool, Grey], otherwise: bool) -> bool:
    """Return whether dark ink is narrower than light ink; `otherwise` if that is undecided.

    Strokes are narrower than the gaps between them. Gaps narrower than strokes, as in an 8, have less weight.
    """
    from edgedigits_runtime.reading.envelope import ink_weight, ink_within

    found = {side: [ink_weight(ink_within(grey, part)) for part in NARROW] for side, grey in sides.items()}
    width = {
        side: [weight >= NEARLY_ALL * weights[-1] for weight in weights].index(True) for side, weights in found.items()
    }
    dark, light = found[True][-1], found[False][-1]
    if width[True] < width[False] or light < dark:
        return True
    return False if width[False] < width[True] else otherwise or light < HEAVIER * dark


def reduced(grey: Grey, factor: int) -> Grey:
    """Return the mean of each block of factor x factor, uint8 [h, w]."""
    return np.asarray(Image.fromarray(np.ascontiguousarray(grey)).reduce(factor)) if factor > 1 else grey


def _gain(level: Grey, lightest: Grey) -> Grey | None:
    """Return how much to amplify dark ink in weak light, by the ground of the darkest and of the lightest channel."""
    if not level.any():
        return None
    paper = float(np.quantile(level, 0.9))
    part = level / max(paper, 1.0)
    tint = level / np.maximum(lightest, 1)
    papers_tint = float(np.median(tint[part >= SHADE]))
    no_paper = (part < DARKEST_SHADE) | (tint < papers_tint - OTHER_TINT)
    if part.min() >= SHADE and not no_paper.any():
        return None
    gain: Grey = np.rint(2**GAIN_BITS * np.clip(1 / np.maximum(part, 1 / MOST_GAIN), 1, MOST_GAIN)).astype(np.uint8)
    gain[no_paper] = 0
    return gain


def _levels(borders: Grey) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """Return the level along each border [N, P], and whether nearly all of the border has it."""
    pixels = borders.shape[1]
    # The median, as np.median gives it in ten times the time.
    middle = (pixels - 1) // 2, pixels // 2
    ordered = np.partition(borders, middle, axis=1)
    levels = np.rint((ordered[:, middle[0]] + ordered[:, middle[1]].astype(np.float64)) / 2).astype(np.int16)
    away = np.abs(borders - levels[:, np.newaxis])
    same, near = (np.count_nonzero(away <= most, axis=1) for most in (0, 1))
    return levels, (2 * same > pixels) & (near >= UNIFORM_SHARE * pixels)


def _border(stack: NDArray[Any]) -> NDArray[Any]:
    """Return the pixels along the border of each picture of a stack [N, h, w]: [N, P]."""
    return np.concatenate([stack[:, 0], stack[:, -1], stack[:, 1:-1, 0], stack[:, 1:-1, -1]], axis=1)


def _smooth(stack: Grey, levels: NDArray[np.int16], uniform: NDArray[np.bool_]) -> Grey:
    smooth = np.empty_like(stack)
    smooth[...] = levels.astype(np.uint8)[:, np.newaxis, np.newaxis]
    for k in np.flatnonzero(~uniform).tolist():
        smooth[k] = _fitted(stack[k], int(levels[k]))
    return smooth


def _fitted(grey: Grey, level: int) -> Grey:
    """Fit a quadratic surface to the ground of uint8 [h, w], starting from its level at the border.

    Iteratively reweighted least squares with Tukey's biweight (Beaton and Tukey 1974): strokes are far from the surface
    and lose their weight.
    """
    step = -(-max(grey.shape) // FIT_SIDE)
    every = _terms(*grey.shape)
    terms = every[::step, ::step].reshape(-1, 6)
    values = grey[::step, ::step].reshape(-1).astype(np.float64)
    surface = np.full_like(values, level)
    solution = np.zeros(6)
    for _ in range(8):
        residual = values - surface
        # The lower quartile, because thick strokes may cover more than half of the picture.
        scale = max(4.685 / 0.3186 * _lower_quartile(np.abs(residual)), 6.0)
        tukey = np.square(np.maximum(1 - np.square(residual / scale), 0))
        weighted = terms * tukey[:, np.newaxis]
        solution = np.linalg.lstsq(weighted.T @ terms, weighted.T @ values, rcond=None)[0]
        surface = terms @ solution
    return np.clip(np.rint(every @ solution), 0, 255).astype(np.uint8)


def _lower_quartile(values: NDArray[np.float64]) -> float:
    """Return the same as np.quantile for 0.25, in a third of the time."""
    place = 0.25 * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    ordered = np.partition(values, (below, above))
    low, high, part = float(ordered[below]), float(ordered[above]), place - below
    return low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part)


@lru_cache(maxsize=2)
def _terms(height: int, width: int) -> NDArray[np.float64]:
    """Return the six terms of a quadratic surface at every pixel, float64 [h, w, 6]."""
    y, x = np.meshgrid(*((np.arange(side) + 0.5) * 2 / side - 1 for side in (height, width)), indexing="ij")
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
