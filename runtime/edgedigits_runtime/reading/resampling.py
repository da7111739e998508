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
