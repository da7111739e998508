"""The strokes of each canvas's own digit: connected components, cut where they reach into another box."""

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.components import Components, find_components
from edgedigits_runtime.reading.windows import Canvases, Mask, Whole, Windows

Floats = NDArray[np.float32]

# A component is a digit's own, as a whole, if this much of it is in the grown box, of that this much in the box itself,
# and at most this much nearer to the middle of another box. It is no speck beside the largest.
OWN, CORE, FOREIGN, SPECK = 0.55, 0.4, 0.05, 0.03
# If less of the ink in the box is of such components, the digit touches something: the others are cut off at the grown
# box and halfway to other boxes, and of the parts those count that have this share of the largest one's ink.
LEAST_OWN = 0.5
LEAST_PART = 0.2


def foreign_pixels(canvases: Canvases, place: Whole, others: Windows) -> Mask | None:
    """Return the pixels in another box and, in units of the boxes, nearer to its middle, bool [N, S, S], or None."""
    if not len(place):
        return None
    side = canvases.pixels.shape[1]
    own, other = _from_middle(canvases.windows, side), _from_middle(others, side)
    first = np.flatnonzero(np.diff(place, prepend=-1))
    nearest = np.minimum.reduceat(other, first)
    foreign = np.zeros(own.shape, bool)
    foreign[place[first]] = (nearest <= 1) & (nearest < own[place[first]])
    return foreign


def _from_middle(windows: Windows, side: int) -> Floats:
    """Return the distance of pixels from the middle of a box, float32 [N, side, side]; 1 at its edges."""
    low, high = windows.on_canvas(windows.low), windows.on_canvas(windows.high)
    away = np.abs(np.arange(side) + 0.5 - (low + high)[:, :, np.newaxis] / 2) / ((high - low) / 2)[:, :, np.newaxis]
    x, y = away[:, 0].astype(np.float32), away[:, 1].astype(np.float32)
    return np.maximum(y[:, :, np.newaxis], x[:, np.newaxis])


def own_strokes(strokes: Mask, parts: "Parts", canvases: Canvases, foreign: Mask | None) -> Mask:
    """Return the strokes of each canvas's digit, bool [N, S, S]; `parts` are their components."""
    areas, grown = parts.components.areas, parts.count(canvases.grown)
    whole = (grown > OWN * areas) & (parts.count(canvases.box) >= CORE * grown)
    if foreign is not None:
        whole &= parts.count(foreign) <= FOREIGN * areas
    whole &= grown >= SPECK * parts.largest(grown * whole)
    own = parts.filled(whole)
    inside = strokes & canvases.grown & (True if foreign is None else ~foreign)
    touching = np.flatnonzero(
        (own & canvases.grown).sum(axis=(1, 2)) < LEAST_OWN * (inside | own & canvases.grown).sum(axis=(1, 2))
    )
    if len(touching):
        cut = Parts((inside | own)[touching])
        weight = cut.count(canvases.box[touching])
        own[touching] = cut.filled((weight > 0) & (weight >= LEAST_PART * cut.largest(weight)))
    return own


class Parts:
    """The connected components of each of many masks, bool [N, S, S], found together."""

    def __init__(self, masks: Mask) -> None:
        self.count_of_masks, self.side, _ = masks.shape
        # An empty row keeps the masks apart.
        stacked = np.zeros((self.count_of_masks, self.side + 1, self.side), bool)
        stacked[:, : self.side] = masks
        self.components: Components = find_components(stacked.reshape(-1, self.side))
        self.mask = self.components.boxes[:, 0] // (self.side + 1)

    def spanning(self, sizes: Whole) -> Mask:
        """Return which windows of these sizes, [N, 2], a component crosses from left to right, from top to bottom."""
        top, left, bottom, right = (
            self.components.boxes - self.mask[:, np.newaxis] * np.array([self.side + 1, 0] * 2)
        ).T
        found = np.zeros((self.count_of_masks, 2), bool)
        for axis, (low, high) in enumerate(((left, right), (top, bottom))):
            found[self.mask[(low == 0) & (high >= sizes[self.mask, axis])], axis] = True
        return found

    def count(self, where: Mask) -> Whole:
        """Return how many pixels of each component are in `where`, bool [N, S, S]."""
        parts = self.components
        if not len(parts):
            return np.zeros(0, np.int64)
        before = np.zeros((self.count_of_masks, self.side + 1, self.side + 1), np.int16)
        np.cumsum(where, axis=2, out=before[:, : self.side, 1:])
        before = before.reshape(-1, self.side + 1)
        along = before[parts.rows, parts.ends] - before[parts.rows, parts.starts]
        counts: Whole = np.add.reduceat(along.astype(np.int64), parts.first[:-1])
        return counts

    def largest(self, weight: Whole) -> Whole:
        """Return for each component the largest weight in its mask."""
        most = np.zeros(self.count_of_masks, np.int64)
        np.maximum.at(most, self.mask, weight)
        largest: Whole = most[self.mask]
        return largest

    def filled(self, chosen: Mask) -> Mask:
        """Return masks of the components that are `chosen`, bool [count], bool [N, S, S]."""
        parts = self.components
        runs = np.repeat(chosen, np.diff(parts.first))
        steps = np.zeros((self.count_of_masks * (self.side + 1), self.side + 1), np.int8)
        steps[parts.rows[runs], parts.starts[runs]] = 1
        steps[parts.rows[runs], parts.ends[runs]] = -1
        inside = np.cumsum(steps[:, : self.side], axis=1, dtype=np.int8).view(bool)
        return inside.reshape(self.count_of_masks, -1, self.side)[:, : self.side].copy()
