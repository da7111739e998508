"""Join strokes that certainly belong to one digit into one mark.

Geometry alone decides here: the bar of a 5, dots of a dotted line, a fragment in a gap. The network decides where
strokes could be one digit or two, such as an open 4, or an L beside a 1; see segments.py.
"""

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.components import joined
from edgedigits_runtime.reading.marks import Mark, distance, mask_stroke_width, union

# Lengths are fractions of the reference height, the median height of the ink.
PART_HEIGHT = 0.45  # A lower mark is a part of a digit.
PART_GAP = 0.10  # A part this near belongs to the digit; a minus or a point is farther away.
# The bar of a 5 is a little farther away, above the middle of its digit.
BAR_GAP = 0.22
BAR_MIDDLE = 0.30
INSIDE = 0.6  # The smaller mark belongs to the larger one if this share of its box is inside the larger box.
# Boxes of slanted 1s overlap too: a mark of nearly the same height must be almost wholly inside.
BESIDE = 0.75
SURELY_INSIDE = 0.9
# Stacked marks share this fraction of the narrower width, and together are no higher than a digit.
STACKED = 0.5
TALLEST = 1.35
# A full page of digits has some 5,000 pairs this near; more are a texture, in which nothing is joined.
MOST_PAIRS = 20_000
# A dot is at most this many stroke widths long, and a dotted digit at least DOTTED_HEIGHT dots high.
DOT_SIZE = 3.0
DOTS = 0.8
FEWEST_DOTS = 6
DOTTED_HEIGHT = 4.0


def reference_height(marks: list[Mark]) -> float:
    """Return the median height of the marks in pixels, weighted by their area."""
    heights = np.array([mark.box.height for mark in marks], np.float64)
    areas = np.array([mark.area for mark in marks], np.float64)
    order = np.argsort(heights)
    half = np.searchsorted(np.cumsum(areas[order]), areas.sum() / 2)
    return float(heights[order[min(half, len(marks) - 1)]])


def grouped(marks: list[Mark]) -> list[Mark]:
    """Join the parts of one digit; marks may be in any order."""
    if len(marks) < 2:
        return marks
    marks = _dots_joined(marks)
    height = reference_height(marks)
    left, right = _near_pairs(marks, BAR_GAP * height + 2)
    if len(left) > MOST_PAIRS:
        return marks
    pairs = [
        (a, b)
        for a, b in zip(left.tolist(), right.tolist(), strict=True)
        if _belong_together(marks[a], marks[b], height)
    ]
    if not pairs:
        return marks
    ends = np.array(pairs, np.int64)
    return _unions(marks, ends[:, 0], ends[:, 1])


def _unions(marks: list[Mark], left: NDArray[np.int64], right: NDArray[np.int64]) -> list[Mark]:
    roots = joined(len(marks), left, right)
    return [union([marks[k] for k in np.flatnonzero(roots == root)]) for root in np.unique(roots)]


def _dots_joined(marks: list[Mark]) -> list[Mark]:
    """Join dots to lines where nearly all marks are dots."""
    if len(marks) < FEWEST_DOTS:
        return marks
    sizes = np.array([max(mark.box.width, mark.box.height) for mark in marks], np.float64)
    strokes = np.array([mask_stroke_width(mark.mask) for mark in marks])
    if np.mean(sizes <= DOT_SIZE * strokes) < DOTS:
        return marks
    size = float(np.median(sizes))
    lines = _unions(marks, *_near_pairs(marks, size))
    return lines if reference_height(lines) >= DOTTED_HEIGHT * size else marks


def _near_pairs(marks: list[Mark], reach: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs of marks whose boxes are within reach."""
    edges = np.array([(m.box.x, m.box.y, m.box.right, m.box.bottom) for m in marks], np.float64)
    x0, y0, x1, y1 = edges.T
    across = np.maximum(x0[:, np.newaxis], x0) - np.minimum(x1[:, np.newaxis], x1)
    down = np.maximum(y0[:, np.newaxis], y0) - np.minimum(y1[:, np.newaxis], y1)
    near = (across <= reach) & (down <= reach)
    left, right = np.nonzero(np.triu(near, 1))
    return left.astype(np.int64), right.astype(np.int64)


def _belong_together(one: Mark, other: Mark, height: float) -> bool:
    small, large = sorted((one, other), key=lambda mark: mark.area)
    s, b = small.box, large.box
    shared_x = min(s.right, b.right) - max(s.x, b.x)
    shared_y = min(s.bottom, b.bottom) - max(s.y, b.y)
    inside = max(shared_x, 0) * max(shared_y, 0) / (s.width * s.height)
    if inside >= (INSIDE if s.height < BESIDE * b.height else SURELY_INSIDE):
        return True
    together = max(s.bottom, b.bottom) - min(s.y, b.y)
    if together > TALLEST * max(height, b.height) or min(s.height, b.height) > PART_HEIGHT * max(height, b.height):
        return False
    gap = distance(small, large)
    if gap <= max(PART_GAP * height, 2.0):
        return True
    if gap > BAR_GAP * height + 1:
        return False
    stacked = shared_x >= STACKED * min(s.width, b.width)
    above = s.middle[1] <= b.y + BAR_MIDDLE * b.height and s.width > s.height
    return stacked or above
