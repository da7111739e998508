"""Bring a digit's stroke width near MNIST's, for hairlines and for broad markers.

Measured in a box of 20 pixels by `grey_stroke_width`, 0.5% of MNIST's training images are below 1.5 pixels and 3% above
4; half are between 2.2 and 2.9. Only widths outside are changed, and only to the limit, so that there is no jump at the
limit. Thick strokes of a digit no larger than the box stay, because no finer picture of them exists.
"""

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.framed import GREY, THICKEST, grey_stroke_width
from edgedigits_runtime.reading.resampling import resized

# In pixels of the box of 20.
THINNEST = 1.5
# Widths are changed on a canvas this many times finer than the box.
FINE = 4
FINE_SIDE = 20 * FINE


def with_usual_stroke_width(ink: NDArray[np.uint8], width: float) -> NDArray[np.uint8] | None:
    """Return a digit with a stroke width of MNIST, uint8 [h, w], larger than its box; None if it has one already.

    `ink` is uint8 [h, w], bright on 0, tight around the digit; `width` that of its strokes in a box of 20.
    """
    if width < GREY:
        # Scaling down makes hairlines grey but no thinner; only the fine scale shows their width.
        fine = _fine(_brightest(ink))
        width = grey_stroke_width(fine) / FINE
        return _dilated(np.pad(fine, FINE), FINE * (THINNEST - width) / 2) if width < THINNEST else None
    if width > THICKEST and max(ink.shape) > FINE_SIDE // FINE:
        fine = np.pad(_fine(ink), 1)
        return _thinned(fine, (grey_stroke_width(fine) - FINE * THICKEST) / 2)
    return None


def _brightest(digit: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Reduce by the brightest pixel of each block, to at least the fine size, so that hairlines stay whole."""
    factor = max(digit.shape) // FINE_SIDE
    if factor <= 1:
        return digit
    height, width = (-(-side // factor) for side in digit.shape)
    padded = np.pad(digit, ((0, height * factor - digit.shape[0]), (0, width * factor - digit.shape[1])))
    rows = padded.reshape(height, factor, -1).max(axis=1)
    blocks: NDArray[np.uint8] = rows.reshape(height, width, factor).max(axis=2)
    return blocks


def _fine(digit: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = digit.shape
    scale = FINE_SIDE / max(height, width)
    image = resized(digit, max(1, round(width * scale)), max(1, round(height * scale))).astype(np.float32)
    brightened: NDArray[np.uint8] = np.rint(image * (255 / max(float(image.max()), 1.0))).astype(np.uint8)
    return brightened


def _thinned(digit: NDArray[np.uint8], radius: float) -> NDArray[np.uint8]:
    """Take `radius` off both sides of all strokes, except those that would vanish."""
    eroded = ~_dilated(~digit, radius)
    lost = digit - np.minimum(digit, _dilated(eroded, radius))
    return np.maximum(eroded, np.minimum(digit, _dilated(lost, radius)))


def _dilated(digit: NDArray[np.uint8], radius: float) -> NDArray[np.uint8]:
    """Return the brightest pixel within `radius`; a pixel partly within counts with that part of its brightness."""
    reach = int(np.ceil(max(radius, 0)))
    padded = np.pad(digit, reach, mode="edge").astype(np.float32)
    height, width = digit.shape
    result = digit.astype(np.float32)
    for y in range(-reach, reach + 1):
        for x in range(-reach, reach + 1):
            part = min(1.0, radius + 0.5 - float(np.hypot(x, y)))
            if part > 0:
                moved = padded[reach + y : reach + y + height, reach + x : reach + x + width]
                np.maximum(result, moved * np.float32(part), out=result)
    return np.rint(result).astype(np.uint8)
