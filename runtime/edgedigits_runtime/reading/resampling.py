"""Resize pictures with the same result in every version of Pillow.

Pillow resizes along x and y separately and rounds in between. Since version 13 the order depends on the sizes; here x
is always first, as before, so that a picture is framed equally on every machine and in the browser.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def resized(
    picture: NDArray[np.uint8],
    width: int,
    height: int,
    resample: Image.Resampling = Image.Resampling.BILINEAR,
    part: tuple[float, float] | None = None,
) -> NDArray[np.uint8]:
    """Return a picture, uint8 [H, W] or [H, W, 3], resized to width and height.

    Pillow widens the filter by the reduction, so that every source pixel counts. `part` is the width and height of the
    part to resize, from the top left corner; None for all.
    """
    rows, columns = picture.shape[:2]
    part_width, part_height = part or (columns, rows)
    across = Image.fromarray(picture).resize((width, rows), resample, (0, 0, part_width, rows))
    return np.asarray(across.resize((width, height), resample, (0, 0, width, part_height)))


BITS = 22
"""Precision of Pillow's weights for 8-bit pixels."""


def bilinear_weights(
    part: tuple[NDArray[np.int64], NDArray[np.int64]], size: NDArray[np.int64], most: int, length: int
) -> NDArray[np.float64]:
    """Return Pillow's bilinear weights for many lines of pixels, whole numbers in float64 [N, most, length].

    Args:
        part: the first pixel that is resized and how many, int64 [N].
        size: pixels after resizing, int64 [N], at most `most`; the weights of the others are 0.
        most, length: pixels of a line after and before resizing.
    """
    start, count = (each[:, np.newaxis, np.newaxis] for each in part)
    size = size[:, np.newaxis, np.newaxis]
    pixels, out = np.arange(length), np.arange(most)[:, np.newaxis]
    scale = count / size
    reach = np.maximum(scale, 1.0)
    centre = start + (out + 0.5) * scale
    weights = np.maximum(1 - np.abs((pixels + 0.5 - centre) / reach), 0.0)
    weights *= (pixels >= start) & (pixels < start + count) & (out < size)
    total = weights.sum(axis=2, keepdims=True)
    np.divide(weights, total, out=weights, where=total > 0)
    whole: NDArray[np.float64] = np.floor(weights * (1 << BITS) + 0.5)
    return whole


def weighted(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the product of pixels and weights, [N, a, b] and [N, b, c], rounded to 0..255 as Pillow does.

    All numbers are whole and stay below 2**53, so the sums are exact in any order.
    """
    return np.clip(np.floor((left @ right + (1 << (BITS - 1))) / (1 << BITS)), 0, 255)
