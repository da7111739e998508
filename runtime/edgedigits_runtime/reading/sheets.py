"""Sheets: large filled quadrilaterals that are not ink but its ground: a note, a tile, a window on a screen."""

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.components import find_components

# Least intersection over union with the quadrilateral between its corners; least filled and written shares (with less
# writing it is a shadow or an object); least share of the picture.
AGREEMENT = 0.93
LEAST_FILLED = 0.55
LEAST_WRITTEN = 0.01
LEAST_REGION = 0.01
# Writing leaves a margin: the upper and lower rims of a sheet are unbroken.
MARGIN = 0.04
UNBROKEN = 0.9
MOST_OF_ALL = 0.8  # Sheets leave little else in the picture.
MOST_SHEETS = 12  # More than a dozen tiles are a pattern.


def are_sheets(mask: NDArray[np.bool_]) -> bool:
    """Return whether all large components of a mask, bool [h, w], are sheets.

    A digit is not: an ellipse fills 0.64 of the quadrilateral between its extremes, and an 8 has a waist.
    """
    components = find_components(mask)
    large = np.flatnonzero(components.areas >= LEAST_REGION * mask.size)
    boxes = components.boxes[large]
    # A component in another's box, such as the counter of a 0, belongs to it.
    inner = boxes[:, np.newaxis]
    within = (inner[..., :2] >= boxes[:, :2]).all(axis=2) & (inner[..., 2:] <= boxes[:, 2:]).all(axis=2)
    sheets = large[within.sum(axis=1) == 1].tolist()
    if not 1 <= len(sheets) <= MOST_SHEETS or components.areas[large].sum() < MOST_OF_ALL * components.areas.sum():
        return False
    return all(_is_sheet(components.mask(number)) for number in sheets)


def _is_sheet(mask: NDArray[np.bool_]) -> bool:
    """Return whether one component, bool in its own box, is a filled quadrilateral with writing."""
    sides = straight_sides(mask)
    if sides is None:
        return False
    area = int((sides[1] - sides[0] + 1).sum())
    return bool(LEAST_FILLED * area <= np.count_nonzero(mask) <= (1 - LEAST_WRITTEN) * area)


def straight_sides(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Return the first and last column, int64 [h], of each row of a quadrilateral with an unbroken margin, or None."""
    rows = np.arange(len(mask))
    first, last = mask.argmax(axis=1), mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1)
    x, y = np.concatenate([first, last]), np.concatenate([rows, rows])
    corners = [int(np.argmin(x + y)), int(np.argmax(x - y)), int(np.argmax(x + y)), int(np.argmin(x - y))]
    inside = _quadrilateral([(int(x[corner]), int(y[corner])) for corner in corners], mask.shape)
    columns = np.arange(mask.shape[1])
    filled = (columns >= first[:, np.newaxis]) & (columns <= last[:, np.newaxis])
    if np.count_nonzero(filled & inside) < AGREEMENT * np.count_nonzero(filled | inside):
        return None
    margin = max(1, round(MARGIN * len(mask)))
    # Where a side slants, the outermost rows are ragged.
    rim = _shrunk(inside, 1) & ~_shrunk(inside, 1 + margin)
    half = len(mask) // 2
    whole = all(
        np.count_nonzero((mask & rim)[rows]) >= UNBROKEN * np.count_nonzero(rim[rows])
        for rows in (slice(0, half), slice(half, None))
    )
    return (first, last) if whole else None


def _quadrilateral(corners: list[tuple[int, int]], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the mask of a convex quadrilateral, half a pixel larger; corners (x, y) clockwise from the top left."""
    rows, columns = np.arange(shape[0])[:, np.newaxis], np.arange(shape[1])
    inside = np.ones(shape, bool)
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        across, down = x1 - x0, y1 - y0
        inside &= 2 * (across * (rows - y0) - down * (columns - x0)) >= -abs(down)
    return inside


def _shrunk(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """Remove `by` pixels above and below a mask, bool [h, w]."""
    shrunk = np.zeros_like(mask)
    shrunk[by:-by] = mask[2 * by :] & mask[: -2 * by]
    return shrunk
