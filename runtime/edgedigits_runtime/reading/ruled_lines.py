"""Remove printed lines, of ruled and squared paper and of forms, from under the digits.

A ruled line runs straight across the whole picture, which no stroke does: cut into strips, it appears in nearly every
strip where its slope leads. It is erased where nothing is written beside it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image

from edgedigits_runtime.reading.resampling import resized

Ink = NDArray[np.uint8]

# Lines are searched in this many strips across them, each reduced to at most ROWS rows.
STRIPS = 16
ROWS = 384
# Steepest line, as rise over run and in rows a strip, and the step between the slopes tried: off by a row at the ends.
STEEPEST = 0.14
MOST_ROWS = 3.0
FINENESS = 0.125
# A line is missing in at most this share of the strips, has at least LEAST_STRENGTH of full contrast, and STANDS_OUT
# times that of the BETWEEN rows around it. It is no thicker than THICKEST of the picture, or three pixels.
MISSING = 0.15
LEAST_STRENGTH = 0.1
STANDS_OUT = 2.0
BETWEEN = 16
THICKEST = 0.03
MOST_BENT = 1.5
# A lone line is one only if it is fainter than strokes, or in this outer part of the picture.
STROKE_STRENGTH = 0.5
EDGE = 0.15
# Fraction of full contrast from which something is written beside a line.
WRITTEN = 0.35
WRITTEN_TO_NOISE = 2


@dataclass(frozen=True, eq=False)
class RuledLine:
    """One ruled line, in pixels.

    Attributes:
        rows: int64 [W], the row of its middle in each column.
        reach: number of rows it covers above and below its middle.
        strength: its mean contrast.
        at_edge: whether it runs along the picture's edge.
    """

    rows: NDArray[np.int64]
    reach: int
    strength: int
    at_edge: bool


def without_ruled_lines(ink: Ink, peak: int, noise: int = 0) -> Ink:
    """Return ink, uint8 [H, W], without ruled lines; the same array if there are none.

    `peak` is full contrast, `noise` the reach of the noise. On a page without writing it is near the contrast of the
    lines.
    """
    # One picture with enough rows for both directions.
    factor = max(1, min(ink.shape) // ROWS)
    small = np.asarray(Image.fromarray(ink).reduce(factor)) if factor > 1 else ink
    level, upright = find_ruled_lines(small, peak, ink.shape), find_ruled_lines(small.T, peak, ink.T.shape)
    if _may_be_strokes(level + upright, peak):
        return ink
    bands = _bands(ink.shape, level), _bands(ink.T.shape, upright).T
    # At a crossing each line is beside the other, which is not writing.
    written = (ink >= max(WRITTEN * peak, WRITTEN_TO_NOISE * noise)) & ~(bands[0] | bands[1])
    rest = ink.copy()
    for rule in level:
        _erase(rest, rule, written)
    for rule in upright:
        _erase(rest.T, rule, written.T)
    return rest


def _may_be_strokes(rules: list[RuledLine], peak: int) -> bool:
    """Return whether the lines may be a 1, or the bar of a 4 or a 7, that runs through the picture."""
    lone = len(rules) == 1 and not rules[0].at_edge and rules[0].strength >= STROKE_STRENGTH * peak
    return not rules or lone


def find_ruled_lines(small: Ink, peak: int, shape: tuple[int, int]) -> list[RuledLine]:
    """Return the lines from left to right in reduced ink, uint8 [h, w], in pixels of the ink of this shape."""
    height, width = shape
    rows = min(ROWS, len(small))
    strips = resized(np.ascontiguousarray(small), STRIPS, rows, Image.Resampling.BOX)
    strength, slopes = _strengths(strips, min(MOST_ROWS, STEEPEST * width / STRIPS * rows / height))
    found = []
    for row in np.flatnonzero(_peaks(strength, max(LEAST_STRENGTH * peak, 2.0))).tolist():
        rule = _rule(strips, row, slopes[row], int(strength[row]), shape)
        if rule is not None:
            found.append(rule)
    return found


def _strengths(strips: Ink, steepest: float) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return the strength of a line through the middle of each row, uint8 [rows], and its slope in rows a strip."""
    near = np.pad(strips, ((1, 1), (0, 0)))
    near = np.maximum(np.maximum(near[:-2], near[1:-1]), near[2:])
    steps = int(steepest / FINENESS)
    # The flattest first, because the first of equals is taken.
    slopes = np.array(sorted(np.arange(-steps, steps + 1) * FINENESS, key=abs))
    reach = int(steepest * STRIPS / 2) + 1
    padded = np.pad(near, ((reach, reach), (0, 0)))
    shifts = np.rint(slopes[:, np.newaxis] * (np.arange(STRIPS) - (STRIPS - 1) / 2)).astype(np.int64)
    rows = np.arange(len(strips))
    columns = np.ascontiguousarray(padded.T)
    # For every slope and row the values along the line in each strip: uint8 [slopes, rows].
    along = [sliding_window_view(columns[k], len(strips))[reach + shifts[:, k]] for k in range(STRIPS)]
    # A line reaches both ends.
    strengths = np.minimum(_smallest(along, int(MISSING * STRIPS)), np.minimum(along[0], along[-1]))
    best = strengths.argmax(axis=0)
    return strengths[best, rows], slopes[best]


def _smallest(values: list[NDArray[np.uint8]], kept: int) -> NDArray[np.uint8]:
    """Return the smallest value at each place after leaving out the `kept` smallest."""
    lowest = [np.full_like(values[0], 255) for _ in range(kept + 1)]
    for value in values:
        # Each value sinks to its place; the value it displaces moves up.
        pushed = value
        for k, low in enumerate(lowest):
            lowest[k], pushed = np.minimum(low, pushed), np.maximum(low, pushed)
    return lowest[kept]


def _peaks(strength: NDArray[np.uint8], least: float) -> NDArray[np.bool_]:
    """Return whether a line runs in each row, bool [rows]: the middle of the strongest rows within reach."""
    padded = np.pad(strength.astype(np.float64), 3)
    around = np.stack([padded[k : k + len(strength)] for k in range(7)])
    highest = around.max(axis=0)
    top = (strength == highest) & (strength >= least)
    # The middle of a plateau, because the maxima of one thin line are three rows wide.
    starts = np.flatnonzero(top & ~np.concatenate([[False], top[:-1]]))
    ends = np.flatnonzero(top & ~np.concatenate([top[1:], [False]]))
    reach = min(BETWEEN, len(strength) - 1)
    windows = sliding_window_view(np.pad(strength, reach, mode="reflect"), 2 * reach + 1)
    background = np.median(windows, axis=1)
    peaks = np.zeros(len(strength), bool)
    middles = (starts + ends) // 2
    peaks[middles[strength[middles] >= STANDS_OUT * background[middles]]] = True
    return peaks


def _rule(strips: Ink, row: int, slope: float, strength: int, shape: tuple[int, int]) -> RuledLine | None:
    """Follow one line from strip to strip; None if it is too thick."""
    height, width = shape
    scale = height / len(strips)
    expected = row + slope * (np.arange(STRIPS) - (STRIPS - 1) / 2)
    spans = np.array([_span(strips[:, strip], round(place)) for strip, place in enumerate(expected)])
    thickness = np.median(spans[:, 1] - spans[:, 0]) + 1
    if thickness * scale > max(3.0, THICKEST * max(shape)):
        return None
    offsets = spans.mean(axis=1) - expected
    # Where something is written across, the middle of the strip is not the line's.
    offsets[np.abs(offsets - np.median(offsets)) > MOST_BENT] = np.median(offsets)
    middles = (np.arange(STRIPS) + 0.5) * width / STRIPS
    columns = np.arange(width) + 0.5
    drift = row + slope * (columns / width * STRIPS - STRIPS / 2)
    rows = (drift + np.interp(columns, middles, offsets) + 0.5) * scale - 0.5
    middle = float(rows.mean()) / height
    return RuledLine(
        np.rint(rows).astype(np.int64),
        int(np.ceil((thickness * scale) / 2)) + 1,
        strength,
        min(middle, 1 - middle) <= EDGE,
    )


def _span(strip: NDArray[np.uint8], place: int) -> tuple[int, int]:
    """Return the first and the last row of the line near a place in one strip, uint8 [rows]."""
    start = min(max(place - 2, 0), len(strip) - 1)
    best = start + int(strip[start : max(place + 3, start + 1)].argmax())
    low = np.flatnonzero(strip < max(strip[best] / 2, 1))
    after = int(np.searchsorted(low, best))
    first = int(low[after - 1]) + 1 if after else 0
    last = int(low[after]) - 1 if after < len(low) else len(strip) - 1
    return min(first, best), max(last, best)


def _bands(shape: tuple[int, ...], rules: list[RuledLine]) -> NDArray[np.bool_]:
    """Return the mask of the rows that lines cover, bool [H, W]."""
    mask = np.zeros(shape, bool)
    columns = np.arange(shape[1])
    for rule in rules:
        for offset in range(-rule.reach, rule.reach + 1):
            mask[np.clip(rule.rows + offset, 0, shape[0] - 1), columns] = True
    return mask


def _erase(ink: Ink, rule: RuledLine, written: NDArray[np.bool_]) -> None:
    """Erase a line from uint8 [H, W], in place, except where something is written just above or below it."""
    height, width = ink.shape
    columns = np.arange(width)
    beside = np.zeros(width, bool)
    for offset in (-rule.reach - 2, -rule.reach - 1, rule.reach + 1, rule.reach + 2):
        rows = rule.rows + offset
        beside |= written[np.clip(rows, 0, height - 1), columns] & (rows >= 0) & (rows < height)
    slack = rule.reach + 1
    beside = np.convolve(beside, np.ones(2 * slack + 1))[slack : slack + width] > 0
    for offset in range(-rule.reach, rule.reach + 1):
        rows = rule.rows + offset
        erased = (rows >= 0) & (rows < height) & ~beside
        ink[rows[erased], columns[erased]] = 0
