"""Locate: where in the picture a digit stands.

One digit a picture: the box of all ink but specks and what hugs the picture's edge, such as the rule of a
form or the side of a page.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.components import label_components

# Components are found on a picture reduced to this longest side; nothing thinner matters to a box.
SEARCH_SIDE = 512

# The part of the heaviest component's ink below which another one is a speck. A 5's bar has some 15%.
SPECK_SHARE = 0.03

# What hugs the edge has most of its ink in the outer band of the picture, and runs along most of a side.
EDGE_BAND = 0.15
EDGE_INK = 0.8
EDGE_LENGTH = 0.6


@dataclass(frozen=True)
class Box:
    """A rectangle in source pixels; x and y are those of its top left pixel."""

    x: int
    y: int
    width: int
    height: int

    @property
    def rows(self) -> slice:
        return slice(self.y, self.y + self.height)

    @property
    def columns(self) -> slice:
        return slice(self.x, self.x + self.width)


def locate(ink: NDArray[np.uint8]) -> list[Box]:
    """Return the box of the digit, tight around its ink, or an empty list where there is no ink.

    Args:
        ink: uint8 [H, W], bright on 0.
    """
    if not ink.any():
        return []
    factor = -(-max(ink.shape) // SEARCH_SIDE)
    small = _reduced(ink, factor)
    labels, count = label_components(small > 0)
    weight = np.bincount(labels.reshape(-1), small.reshape(-1), count + 1).astype(np.float64)
    kept = weight > 0
    edge = _hugs_edge(labels, small, weight)
    # A digit may fill its picture to the edge: then nothing much is left without it.
    if weight[~edge].max() >= SPECK_SHARE * weight[edge].sum():
        kept &= ~edge
    kept &= weight >= SPECK_SHARE * weight[kept].max()
    return [_tight(ink, *(slice(part.start * factor, part.stop * factor) for part in _extent(kept[labels])))]


def _reduced(ink: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Return the brightest pixel of each block of factor x factor, uint8."""
    if factor == 1:
        return ink
    height, width = (-(-side // factor) for side in ink.shape)
    rows = np.zeros((height, ink.shape[1]), np.uint8)
    blocks = np.zeros((height, width), np.uint8)
    for offset in range(factor):
        part = ink[offset::factor]
        np.maximum(rows[: len(part)], part, out=rows[: len(part)])
    for offset in range(factor):
        part = rows[:, offset::factor]
        np.maximum(blocks[:, : part.shape[1]], part, out=blocks[:, : part.shape[1]])
    return blocks


def _hugs_edge(labels: NDArray[np.int64], ink: NDArray[np.uint8], weight: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say of each component, bool [count + 1], whether it belongs to the picture's edge."""
    height, width = ink.shape
    band_y, band_x = round(EDGE_BAND * height), round(EDGE_BAND * width)
    inner = (slice(band_y, height - band_y), slice(band_x, width - band_x))
    inside = np.bincount(labels[inner].reshape(-1), ink[inner].reshape(-1), len(weight))
    rows, columns = _spans(labels, len(weight))
    along: NDArray[np.bool_] = (rows >= EDGE_LENGTH * height) | (columns >= EDGE_LENGTH * width)
    return along & (weight > 0) & (inside <= (1 - EDGE_INK) * weight)


def _spans(labels: NDArray[np.int64], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many rows and how many columns each label's box spans, int64 [count] each."""
    positions = np.nonzero(labels)
    spans = []
    for position in positions:
        first, last = np.full(count, max(labels.shape)), np.full(count, -1)
        np.minimum.at(first, labels[positions], position)
        np.maximum.at(last, labels[positions], position)
        spans.append(last - first + 1)
    return spans[0], spans[1]


def _extent(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _tight(ink: NDArray[np.uint8], rows: slice, columns: slice) -> Box:
    y, x = _extent(ink[rows, columns] > 0)
    return Box(columns.start + x.start, rows.start + y.start, x.stop - x.start, y.stop - y.start)
