"""Connected components of a mask, found by horizontal runs in NumPy, without a loop over pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Components:
    """The 8-connected components of a mask, stored as horizontal runs sorted by component.

    Attributes:
        rows, starts, ends: int64 [runs], a run covers columns starts..ends-1 of its row.
        first: int64 [count + 1], index of the first run of each component.
        boxes: int64 [count, 4], top, left, bottom and right, the last two exclusive.
        areas: int64 [count], pixels.
    """

    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    first: NDArray[np.int64]
    boxes: NDArray[np.int64]
    areas: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.areas)

    @property
    def box_areas(self) -> NDArray[np.int64]:
        top, left, bottom, right = self.boxes.T
        areas: NDArray[np.int64] = (bottom - top) * (right - left)
        return areas

    def runs(self, component: int) -> slice:
        return slice(int(self.first[component]), int(self.first[component + 1]))

    def mask(self, component: int) -> NDArray[np.bool_]:
        """Return one component in its box, bool [height, width]."""
        top, left, bottom, right = self.boxes[component].tolist()
        runs = self.runs(component)
        steps = np.zeros((bottom - top, right - left + 1), np.int8)
        steps[self.rows[runs] - top, self.starts[runs] - left] = 1
        # Two runs of a row are at least one column apart, so no step overwrites another.
        steps[self.rows[runs] - top, self.ends[runs] - left] = -1
        filled: NDArray[np.bool_] = np.cumsum(steps[:, :-1], axis=1, dtype=np.int8).astype(bool)
        return filled


def find_components(mask: NDArray[np.bool_]) -> Components:
    """Find the 8-connected components of a mask, bool [H, W], in the reading order of their first pixels."""
    stride = mask.shape[1] + 2
    starts, ends = _runs(mask)
    numbers, count = _numbered(starts, ends, stride)
    order = np.argsort(numbers, kind="stable")
    starts, ends = starts[order], ends[order]
    rows = starts // stride
    left, right = starts - rows * stride - 1, ends - rows * stride - 1
    first = np.searchsorted(numbers[order], np.arange(count + 1))
    if not count:
        return Components(rows, left, right, first, np.zeros((0, 4), np.int64), np.zeros(0, np.int64))
    at = first[:-1]
    boxes = np.stack(
        [rows[at], np.minimum.reduceat(left, at), rows[first[1:] - 1] + 1, np.maximum.reduceat(right, at)], axis=1
    )
    return Components(rows, left, right, first, boxes, np.add.reduceat(right - left, at))


def joined(count: int, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each of `count` items the smallest one that the pairs (left, right) connect it with, int64 [count]."""
    roots = np.arange(count)
    while True:
        a, b = roots[left], roots[right]
        apart = a != b
        if not apart.any():
            return roots
        # Attach the larger root to the smaller, then shorten every chain to its end.
        np.minimum.at(roots, np.maximum(a, b)[apart], np.minimum(a, b)[apart])
        while not np.array_equal(shorter := roots[roots], roots):
            roots = shorter


def _runs(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the start and end of each run in the flattened mask, padded with a column on either side."""
    height, width = mask.shape
    # Two empty columns between rows, so that no run continues in the next row.
    padded = np.zeros((height, width + 2), np.int8)
    padded[:, 1:-1] = mask
    flat = padded.reshape(-1)
    steps = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    return steps[::2], steps[1::2]


def _numbered(starts: NDArray[np.int64], ends: NDArray[np.int64], stride: int) -> tuple[NDArray[np.int64], int]:
    """Return the component of each run, 0..count-1, and count."""
    roots = joined(len(starts), *_touching(starts, ends, stride))
    first, numbers = np.unique(roots, return_inverse=True)
    return numbers, len(first)


def _touching(
    starts: NDArray[np.int64], ends: NDArray[np.int64], stride: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs of runs in neighbouring rows that touch, diagonally included."""
    first = np.searchsorted(ends, starts - stride, side="left")
    last = np.searchsorted(starts, ends - stride, side="right")
    counts = np.maximum(last - first, 0)
    below = np.repeat(np.arange(len(starts)), counts)
    within = np.arange(len(below)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(first, counts) + within, below


def widened(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Add the eight neighbours of every pixel, bool [N, H, W]."""
    rows = mask.copy()
    rows[:, 1:] |= mask[:, :-1]
    rows[:, :-1] |= mask[:, 1:]
    wide = rows.copy()
    wide[:, :, 1:] |= rows[:, :, :-1]
    wide[:, :, :-1] |= rows[:, :, 1:]
    return wide
