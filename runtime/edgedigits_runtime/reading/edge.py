"""Components that belong to the picture's edge and to no digit, such as the side of a page or a strip of table."""

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.components import Components
from edgedigits_runtime.reading.grouping import reference_height
from edgedigits_runtime.reading.marks import Mark, gap

# A component hugs the edge if EDGE_INK of its ink lies in the picture's outer band, EDGE_BAND of the shorter side wide,
# and it is as long as EDGE_LENGTH of a side.
EDGE_BAND = 0.15
EDGE_INK = 0.8
EDGE_LENGTH = 0.6
# A mark that comes nearer to the edge than this fraction of the shorter side runs out of the picture.
EDGE_GAP = 0.005
# Boxes of digits together cover the picture at most this many times; boxes of lines across it cover more.
MOST_COVERED = 8
CLEAR_INK = 0.5  # Fraction of the ink that must be clear of the edge before marks at the edge are dropped.
BESIDE = 0.25  # Largest distance between a digit and a part of it, in heights of the digit.


def hugs_edge(components: Components, ink: NDArray[np.uint8], weight: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return whether each component of ink, uint8 [H, W], runs along the picture's edge, bool [count]."""
    height, width = ink.shape
    top, left, bottom, right = components.boxes.T
    along = (bottom - top >= EDGE_LENGTH * height) | (right - left >= EDGE_LENGTH * width)
    sizes = np.where(along, components.box_areas, 0)
    along &= np.cumsum(sizes) <= MOST_COVERED * ink.size
    hugs = np.zeros(len(components), bool)
    band = round(EDGE_BAND * min(height, width))
    for k in np.flatnonzero(along).tolist():
        y, x = int(top[k]), int(left[k])
        own = np.where(components.mask(k), ink[y : bottom[k], x : right[k]], 0)
        inner = own[max(band - y, 0) : max(height - band - y, 0), max(band - x, 0) : max(width - band - x, 0)]
        hugs[k] = inner.sum(dtype=np.int64) <= (1 - EDGE_INK) * weight[k]
    return hugs


def without_run_out(marks: list[Mark], shape: tuple[int, ...], *, alone: bool = False) -> list[Mark]:
    """Drop the marks that run out of a picture of this shape if the others do not.

    In a picture cropped tight around a number the outermost digits touch all four sides, and all are kept. `alone`
    keeps marks that may be a part of a digit beside them.
    """
    height, width = shape
    near = EDGE_GAP * min(height, width)
    boxes = [mark.box for mark in marks]
    sides = np.array(
        [(b.y <= near, b.x <= near, b.bottom >= height - near, b.right >= width - near) for b in boxes], bool
    )
    clear: NDArray[np.bool_] = ~np.logical_or.reduce(sides, axis=1)
    areas = np.array([mark.area for mark in marks])
    usual = reference_height(marks)
    digits = np.array([usual / 2 <= box.height <= 2 * usual for box in boxes])
    if sides[digits].any(axis=0).all() or areas[clear].sum() < CLEAR_INK * areas.sum():
        return marks
    inner = [boxes[k] for k in np.flatnonzero(clear)]
    return [
        mark
        for k, mark in enumerate(marks)
        if clear[k] or (alone and any(gap(mark.box, box) <= BESIDE * box.height for box in inner))
    ]
