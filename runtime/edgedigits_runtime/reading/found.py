"""From the finder's outputs to boxes: peaks of heat, then the best of boxes that overlap."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

STRIDES = (4, 8, 16, 32)
"""Pixels of a cell at each of the finder's levels."""
MOST = 600
"""Peaks that are considered, the surest first."""
OVERLAP = 0.35
"""Intersection over union from which the less sure of two boxes is dropped."""
COVERED = 0.6
"""Share of the smaller box from which the less sure of two boxes is dropped."""
LONGEST = 5.0
"""Logarithm of the longest side, in cells; more would overflow."""


@dataclass(frozen=True, eq=False)
class Found:
    """What the finder found, the surest first.

    Args:
        boxes: float32 [N, 4]: x, y, width, height in pixels of the picture.
        scores: float32 [N], 0..1, of a digit.
        letter_scores: float32 [N], 0..1, of a letter.
    """

    boxes: Floats
    scores: Floats
    letter_scores: Floats

    def __getitem__(self, kept: NDArray[np.generic]) -> "Found":
        """Return a part, by indices or by a mask."""
        return Found(self.boxes[kept], self.scores[kept], self.letter_scores[kept])

    def best(self) -> "Found":
        """Return, the surest first, what overlaps nothing surer."""
        order = np.argsort(-np.maximum(self.scores, self.letter_scores), kind="stable")[:MOST]
        return self[order[_unsurpassed(self.boxes[order])]]


def joined(parts: Sequence[Found]) -> Found:
    """Return all of several parts."""
    return Found(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.letter_scores for part in parts]),
    )


def decode(outputs: Sequence[Floats], threshold: float) -> Found:
    """Return what the network's outputs for one picture say, in pixels of its input.

    Args:
        outputs: for each of STRIDES heat [rows, columns, 2], the logits of a digit's and of a letter's centre, and box
            [rows, columns, 4]: from the cell's centre to the box's, right and down, and the logarithms of width and
            height, all in cells.
        threshold: least score, as a digit or as a letter.
    """
    least = float(np.log(threshold / (1 - threshold)))
    peaks = []
    for stride, heat, box in zip(STRIDES, outputs[::2], outputs[1::2], strict=True):
        rows, columns = _peaks(np.maximum(heat[..., 0], heat[..., 1]), least)
        if len(rows):
            sides = np.full(len(rows), stride)
            places = np.stack([columns, rows, sides], axis=1).astype(np.float32)
            peaks.append(np.concatenate([places, heat[rows, columns], box[rows, columns]], axis=1))
    if not peaks:
        return Found(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.float32))
    together = np.concatenate(peaks)
    cell, size = together[:, 2:3], np.exp(np.minimum(together[:, 7:], LONGEST))
    centre = together[:, :2] + np.float32(0.5) + together[:, 5:7]
    boxes = cell * np.concatenate([centre - size / 2, size], axis=1)
    scores = 1 / (1 + np.exp(-together[:, 3:5]))
    return Found(boxes, scores[:, 0], scores[:, 1]).best()


def heat_map(outputs: Sequence[Floats]) -> Floats:
    """Return for each pixel of the network's input the highest score of a digit whose centre is there, 0..1."""
    heats = zip(STRIDES, outputs[::2], strict=True)
    levels = [np.repeat(np.repeat(heat[..., 0], stride, axis=0), stride, axis=1) for stride, heat in heats]
    scores: Floats = 1 / (1 + np.exp(-np.maximum.reduce(levels)))
    return scores


def _peaks(heat: Floats, least: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows and columns of the cells, of at least that heat, that none of the eight around exceeds."""
    rows, columns = np.nonzero(heat >= least)
    if not len(rows):
        return rows, columns
    # Only around warm cells: most are cold. At the borders a cell is its own neighbour.
    steps = np.arange(-1, 2)
    beside = np.clip(columns[:, np.newaxis] + steps, 0, heat.shape[1] - 1)[:, np.newaxis]
    above = np.clip(rows[:, np.newaxis] + steps, 0, heat.shape[0] - 1)[:, :, np.newaxis]
    peak = heat[rows, columns] >= heat[above, beside].max(axis=(1, 2))
    return rows[peak], columns[peak]


def _unsurpassed(boxes: Floats) -> NDArray[np.int64]:
    """Return the indices of boxes, sorted from the surest, that clash with none that is surer and kept."""
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    shared = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    common = np.maximum(shared, 0).prod(axis=-1)
    area = boxes[:, 2] * boxes[:, 3]
    union = area[:, None] + area - common
    clash = (common > OVERLAP * union) | (common > COVERED * np.minimum(area[:, None], area))
    kept = np.ones(len(boxes), bool)
    for index in range(len(boxes)):
        if kept[index]:
            kept[index + 1 :] &= ~clash[index, index + 1 :]
    return np.flatnonzero(kept)
