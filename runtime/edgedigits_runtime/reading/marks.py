"""Marks: connected pieces of ink."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.box import Box

# Number of points on a mark's outline; distances are wrong by some hundredths of its size at most.
OUTLINE = 100


@dataclass(frozen=True, eq=False)
class Mark:
    """One piece of ink: its box, and a mask tight in it, bool [height, width]."""

    box: Box
    mask: NDArray[np.bool_]

    @cached_property
    def area(self) -> int:
        return int(np.count_nonzero(self.mask))

    @cached_property
    def outline(self) -> NDArray[np.float64]:
        """The ends of its horizontal runs, float64 [points, 2] as y and x, thinned to about OUTLINE points."""
        padded = np.zeros((self.box.height, self.box.width + 2), bool)
        padded[:, 1:-1] = self.mask
        rows, columns = np.nonzero(padded[:, 1:] != padded[:, :-1])
        # The second of each pair of steps is one past its run.
        points = np.stack([rows + self.box.y, columns + self.box.x - np.arange(len(columns)) % 2], axis=1)
        return points[:: max(1, len(points) // OUTLINE)].astype(np.float64)


def mask_stroke_width(mask: NDArray[np.bool_]) -> float:
    """Return the width of a mask's strokes in pixels, by area and perimeter: a long stroke has two sides."""
    padded = np.pad(mask, 1)
    sides = np.count_nonzero(padded[1:] != padded[:-1]) + np.count_nonzero(padded[:, 1:] != padded[:, :-1])
    # A line of length 1 in any direction has 4/pi pixel sides on average.
    return float(2 * np.count_nonzero(mask) / (sides * np.pi / 4))


def union(marks: Sequence[Mark]) -> Mark:
    if len(marks) == 1:
        return marks[0]
    box = around([mark.box for mark in marks])
    mask = np.zeros((box.height, box.width), bool)
    for mark in marks:
        y, x = mark.box.y - box.y, mark.box.x - box.x
        mask[y : y + mark.box.height, x : x + mark.box.width] |= mark.mask
    return Mark(box, mask)


def distance(one: Mark, other: Mark) -> float:
    """Return the distance of the nearest pixels of two marks, 1 where they touch."""
    y = np.subtract.outer(one.outline[:, 0], other.outline[:, 0])
    x = np.subtract.outer(one.outline[:, 1], other.outline[:, 1])
    return float(np.sqrt((x * x + y * y).min()))


def gap(one: Box, other: Box) -> int:
    """Return the larger gap between two boxes, along x or along y, in pixels; 0 where they touch or overlap."""
    across = max(one.x, other.x) - min(one.right, other.right)
    down = max(one.y, other.y) - min(one.bottom, other.bottom)
    return max(across, down, 0)


def around(boxes: Sequence[Box]) -> Box:
    """Return the smallest box that contains all."""
    x, y = min(box.x for box in boxes), min(box.y for box in boxes)
    return Box(x, y, max(box.right for box in boxes) - x, max(box.bottom for box in boxes) - y)


def trimmed(mask: NDArray[np.bool_], x: int, y: int) -> Mark | None:
    """Return the mark of a mask whose top left pixel is (x, y); None where it is empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    return Mark(Box(x + left, y + top, right - left, bottom - top), mask[top:bottom, left:right])
