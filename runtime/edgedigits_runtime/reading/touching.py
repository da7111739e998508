"""Cut touching digits at seams.

A cut is a seam from top to bottom that crosses as little ink as possible (Avidan and Shamir, "Seam carving for
content-aware image resizing", 2007). It follows slanted digits and cuts a blurred pair where the blur is faintest.
Whether to cut is decided later: the network classifies the pieces and the whole.
"""

from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.marks import Mark, trimmed

# Largest distance of a seam from its start column, and distance of the start columns, in heights.
REACH = 0.08
STEP = 0.04
ROWS = 40  # Seams are searched on at most this many rows.
MOST_INK = 0.45  # A cut that crosses more ink, in heights, cuts through a digit.
# A narrower piece, in heights, or one with a smaller share of the ink is no digit.
NARROWEST = 0.12
LEAST_INK = 0.08
# Width of the narrowest of several touching digits, in heights.
PLACE = 0.2
MOST_CUTS = 12
WIDEST = 16  # A wider mark, in heights, is a line and not a row of touching digits.


def pieces(mark: Mark, ink: NDArray[np.uint8]) -> list[Mark]:
    """Return a mark's pieces, cut at each seam that may separate two digits; `ink` is the picture in its box."""
    height, width = mark.mask.shape
    if width > WIDEST * height:
        return [mark]
    factor = -(-height // ROWS)
    cost = (np.where(mark.mask, ink, 0)[::factor, ::factor] / 255).astype(np.float32)
    seams, crossed = _seams(cost)
    chosen = _chosen(seams, crossed, cost)
    parts, rest = [], mark.mask
    columns = np.arange(width)
    for seam in chosen:
        at = np.minimum(np.repeat(seam * factor, factor)[:height], width)
        left = rest & (columns < at[:, np.newaxis])
        parts.append(left)
        rest = rest & ~left
    marks = [trimmed(part, mark.box.x, mark.box.y) for part in [*parts, rest]]
    return [part for part in marks if part is not None]


def _seams(cost: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the cheapest seam near each start column, int64 [seams, rows], and the ink that each crosses."""
    rows, width = cost.shape
    reach, step = max(2, round(REACH * rows)), max(1, round(STEP * rows))
    centres = np.arange(step, width - step + 1, step)
    if not len(centres):
        return np.zeros((0, rows), np.int64), np.zeros(0)
    padded = np.pad(cost, ((0, 0), (reach, reach)), constant_values=1)
    # Columns of the padded picture, [seams, band]; leaving the middle costs a little, so that seams stay straight.
    band = centres[:, np.newaxis] + np.arange(2 * reach + 1)
    aside = 0.02 * np.abs(np.arange(2 * reach + 1) - reach) / reach
    total = padded[0][band] + aside
    back = np.zeros((rows, *band.shape), np.int8)
    for row in range(1, rows):
        before = np.pad(total, ((0, 0), (1, 1)), constant_values=np.inf)
        options = np.stack([before[:, 1:-1], before[:, :-2] + 0.01, before[:, 2:] + 0.01])
        pick = options.argmin(axis=0)
        back[row] = np.array([0, -1, 1], np.int8)[pick]
        total = np.take_along_axis(options, pick[np.newaxis], axis=0)[0] + padded[row][band] + aside
    at = total.argmin(axis=1)
    seams = np.zeros((len(centres), rows), np.int64)
    each = np.arange(len(centres))
    for row in range(rows - 1, -1, -1):
        seams[:, row] = band[each, at] - reach
        at = at + back[row, each, at]
    # A seam runs left of its pixel, whose ink stays whole on the right.
    crossed = cost[np.arange(rows), np.clip(seams, 0, width - 1)].sum(axis=1, dtype=np.float64)
    return np.clip(seams, 0, width), crossed


def _chosen(
    seams: NDArray[np.int64], crossed: NDArray[np.float64], cost: NDArray[np.float32]
) -> list[NDArray[np.int64]]:
    """Return the seams that cross least ink, with room for a digit between them, from left to right."""
    rows, width = cost.shape
    most = min(MOST_CUTS, int(width / (PLACE * rows)))
    ink = np.cumsum(cost, axis=1, dtype=np.float64)
    means = seams.mean(axis=1).tolist()
    edges = [np.zeros(rows, np.int64), np.full(rows, width)]
    places: list[float] = []
    for k in np.argsort(crossed, kind="stable").tolist():
        if len(places) == most or crossed[k] > MOST_INK * rows:
            break
        # After equal places, as sorting would put them.
        at = bisect_right(places, means[k])
        if _is_piece(edges[at], seams[k], ink) and _is_piece(seams[k], edges[at + 1], ink):
            places.insert(at, means[k])
            edges.insert(at + 1, seams[k])
    return edges[1:-1]


def _is_piece(left: NDArray[np.int64], right: NDArray[np.int64], ink: NDArray[np.float64]) -> bool:
    rows = np.arange(len(ink))
    before = np.where(left > 0, ink[rows, np.maximum(left - 1, 0)], 0)
    within = np.where(right > 0, ink[rows, np.maximum(right - 1, 0)], 0) - before
    wide = (right - left).mean() >= NARROWEST * len(ink) and bool((right >= left).all())
    return wide and float(within.sum()) >= LEAST_INK * float(ink[:, -1].sum())
