"""The ground around found boxes: a plane fitted to each window's rim, and how far every pixel is from it."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.windows import DETAIL, Canvases, Mask, rectangles

Floats = NDArray[np.float32]

# The ground is fitted FITS times, each time without pixels that are OUTLIER times farther from it than the mean.
FITS = 2
OUTLIER = 1.5
STIFFNESS = 0.03  # Keeps the plane from tilting where its rim lies on one side only.
LEAST_THINNED = 28  # Longest side of a window, on its canvas, from which every second row of it is fitted.
LEAST_RIM = 0.12  # A smaller rim, as a fraction of the window, is completed by the window's outermost pixels.
# The colour that separates ink from ground is searched by so many steps; a variance of the ground below GROUND_LEVELS
# squared, or GROUND_SHARE of the ink's, counts as that.
COLOUR_STEPS = 8
GROUND_LEVELS = 2.0
GROUND_SHARE = 0.03
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601: where the search starts.


def from_ground(canvases: Canvases) -> tuple[Floats, Floats]:
    """Return the difference of each pixel from its ground, float32 [N, S, S], and the ground's noise, float32 [N]."""
    count, side, _, channels = canvases.pixels.shape
    values = canvases.pixels.transpose(0, 3, 1, 2).astype(np.float32)
    basis = _basis(side)
    # The ground is smooth: on a large canvas every second row is enough to know it.
    step = 2 if side >= LEAST_THINNED else 1
    rim, box = (mask[:, ::step].reshape(count, -1).astype(np.float32) for mask in (_rim(canvases), canvases.box))
    some = values[:, :, ::step].reshape(count, channels, -1)
    some_basis = basis[:, ::step].reshape(3, -1)
    plane, kept = _planes(some, rim, some_basis)
    some = plane @ some_basis - some
    away = plane @ basis.reshape(3, -1) - values.reshape(count, channels, -1)
    if channels > 1:
        mix = _ink_colour(some, kept, box)
        some, away = mix @ some, mix @ away
    noise = np.abs(some[:, 0] * kept).sum(axis=1) / np.maximum(kept.sum(axis=1), 1)
    return away.reshape(count, side, side), noise


def _rim(canvases: Canvases) -> Mask:
    """Return the pixels around each box, bool [N, S, S]; where hardly any are, also the outermost of the window."""
    rim = canvases.window & ~canvases.box
    small = rim.sum(axis=(1, 2)) < LEAST_RIM * canvases.window.sum(axis=(1, 2))
    if small.any():
        size = canvases.windows.size[small]
        inner = rectangles(np.ones(size.shape), size - 1, rim.shape[1])
        rim[small] |= canvases.window[small] & ~inner
    return rim


@lru_cache(maxsize=64)
def _basis(side: int) -> Floats:
    """Return a constant, x and y in -1..1 for each pixel of a canvas, float32 [3, side, side]."""
    at = (2 * np.arange(side) + 1 - DETAIL) / DETAIL
    x, y = np.broadcast_to(at, (side, side)), np.broadcast_to(at[:, np.newaxis], (side, side))
    return np.stack([np.ones((side, side)), x, y]).astype(np.float32)


def _planes(values: Floats, rim: Floats, basis: Floats) -> tuple[Floats, Floats]:
    """Fit a plane to the rim of each channel by least squares, without the ink of neighbours.

    Args:
        values: float32 [N, C, P].
        rim: float32 [N, P], 1 where the plane is fitted, else 0.
        basis: float32 [3, P].

    Returns:
        Factors of the basis, float32 [N, C, 3], and the pixels of the rim that were kept, float32 [N, P].
    """
    channels = values.shape[1]
    products = (basis[:, np.newaxis] * basis).reshape(9, -1).T
    kept = rim
    for fit in range(FITS):
        weight = np.maximum(kept.sum(axis=1), 1)
        square = (kept @ products).reshape(-1, 3, 3).astype(np.float64)
        # A whole plane has a mean square of a third along x and y.
        square += weight[:, np.newaxis, np.newaxis] * np.diag([1e-9, STIFFNESS, STIFFNESS])
        # As one product of two matrices, which is faster.
        sums = ((values * kept[:, np.newaxis]).reshape(-1, basis.shape[1]) @ basis.T).reshape(-1, channels, 3)
        plane = np.linalg.solve(square, sums.transpose(0, 2, 1)).transpose(0, 2, 1).astype(np.float32)
        if fit < FITS - 1:
            away = np.abs(plane @ basis - values).max(axis=1)
            most = OUTLIER * (away * kept).sum(axis=1) / weight
            kept = rim * (away <= np.maximum(most, 1)[:, np.newaxis])
    return plane, kept


def _ink_colour(away: Floats, ground: Floats, box: Floats) -> Floats:
    """Return the mix of channels, float32 [N, 1, 3], in which ink differs most from its ground, beside its noise.

    It is Fisher's linear discriminant, found by power iteration; `away` is float32 [N, 3, P], `ground` and `box`
    float32 [N, P] are 1 in the ground and in the box.
    """
    noise, ink = (
        (away * where[:, np.newaxis]) @ away.transpose(0, 2, 1) / np.maximum(where.sum(axis=1), 1)[:, None, None]
        for where in (ground, box)
    )
    least = GROUND_LEVELS**2 + GROUND_SHARE * np.trace(ink, axis1=1, axis2=2)
    ratio = np.linalg.solve(noise + least[:, np.newaxis, np.newaxis] * np.eye(3, dtype=np.float32), ink)
    mix = np.broadcast_to(np.array(LUMA, np.float32)[:, np.newaxis], (len(away), 3, 1))
    for _ in range(COLOUR_STEPS):
        mix = ratio @ mix
        mix = mix / np.maximum(np.abs(mix).sum(axis=1, keepdims=True), 1e-9)
    return mix.transpose(0, 2, 1)
