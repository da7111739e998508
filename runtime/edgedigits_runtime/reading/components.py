"""Connected components of a mask, by runs: NumPy alone, and no loop over pixels."""

import numpy as np
from numpy.typing import NDArray


def label_components(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], int]:
    """Number the 8-connected components of a mask.

    Args:
        mask: bool [H, W].

    Returns:
        int64 [H, W], 0 outside and 1..count inside, numbered in the reading order of their first pixels; and
        count.
    """
    height, width = mask.shape
    # Two empty columns part the rows, so that positions in the flat picture order all runs.
    padded = np.zeros((height, width + 2), np.int8)
    padded[:, 1:-1] = mask
    steps = np.diff(padded.reshape(-1), prepend=np.int8(0))
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    above, below = _touching(starts, ends, width + 2)
    roots = _roots(len(starts), above, below)
    first, numbers = np.unique(roots, return_inverse=True)
    labels = np.zeros(mask.shape, np.int64)
    labels[mask] = np.repeat(numbers + 1, ends - starts)
    return labels, len(first)


def _touching(
    starts: NDArray[np.int64], ends: NDArray[np.int64], stride: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs of runs that touch from one row to the next, corners included."""
    first = np.searchsorted(ends, starts - stride, side="left")
    last = np.searchsorted(starts, ends - stride, side="right")
    counts = np.maximum(last - first, 0)
    below = np.repeat(np.arange(len(starts)), counts)
    within = np.arange(len(below)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(first, counts) + within, below


def _roots(count: int, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each of `count` runs the smallest run that the pairs join it with."""
    roots = np.arange(count)
    while True:
        a, b = roots[left], roots[right]
        apart = a != b
        if not apart.any():
            return roots
        # Hook the larger root under the smaller, then shorten every chain to its end.
        np.minimum.at(roots, np.maximum(a, b)[apart], np.minimum(a, b)[apart])
        while not np.array_equal(shorter := roots[roots], roots):
            roots = shorter
