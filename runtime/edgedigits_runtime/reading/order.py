"""Order marks in lines, from top to bottom, and each line from left to right."""

import numpy as np

from edgedigits_runtime.reading.box import Box

STEEPEST = 0.36  # Steeper lines, above about 20 degrees, are columns and not slanted lines.
# Marks are on one line if, after correcting the slant, they share this fraction of the lower one's height.
SHARED_HEIGHT = 0.4
NEIGHBOURS = 6.0  # More distant neighbours, in heights, do not count for the slant.


def lines_of(boxes: list[Box]) -> list[list[int]]:
    """Return the indices of boxes line by line, in reading order; the boxes are of marks about as high as a digit."""
    if not boxes:
        return []
    middles = np.array([box.middle for box in boxes])
    heights = np.array([box.height for box in boxes], np.float64)
    level = middles[:, 1] - _slant(middles, heights) * middles[:, 0]
    lines: list[list[int]] = []
    for k in np.argsort(level, kind="stable").tolist():
        line = _line_of(k, lines, level, heights, middles)
        if line is None:
            lines.append([k])
        else:
            line.append(k)
    lines = [sorted(line, key=lambda k: (middles[k, 0], k)) for line in lines]
    return sorted(lines, key=lambda line: float(np.mean(level[line])))


def _line_of(
    k: int, lines: list[list[int]], level: np.ndarray, heights: np.ndarray, middles: np.ndarray
) -> list[int] | None:
    """Return the line of mark k: the one whose nearest member shares most of its height."""
    best, most = None, SHARED_HEIGHT
    # Marks are sorted from the top, so the last member of a line is its lowest.
    reach = level[k] - heights.max()
    for line in lines:
        if level[line[-1]] < reach:
            continue
        near = line[int(np.argmin(np.abs(middles[line, 0] - middles[k, 0])))]
        low, high = sorted((heights[k], heights[near]))
        shared = ((low + high) / 2 - abs(level[k] - level[near])) / low
        if shared >= most:
            best, most = line, shared
    return best


def _slant(middles: np.ndarray, heights: np.ndarray) -> float:
    """Return the slope of the lines: the median of the steps from each mark to the nearest one on the right."""
    steps = []
    for k, (x, y) in enumerate(middles):
        across, down = middles[:, 0] - x, middles[:, 1] - y
        beside = (across > 0.3 * heights[k]) & (np.abs(down) <= np.maximum(STEEPEST * across, 0))
        beside &= across <= NEIGHBOURS * heights[k]
        if beside.any():
            # Not the nearest along x, which may be in another line if columns are far apart.
            nearest = np.argmin(np.where(beside, np.hypot(across, 2 * down), np.inf))
            steps.append(down[nearest] / across[nearest])
    return float(np.median(steps)) if len(steps) > 1 else 0.0
