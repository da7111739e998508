"""Regions with a ground of their own, written on in the other polarity than the rest.

A dark header with light digits on a white page, a display in a photographed sheet, paper on a blackboard: filled
quadrilaterals of one tone with writing of the other tone, while the rest has writing of the region's tone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.components import Components, find_components
from edgedigits_runtime.reading.marks import mask_stroke_width
from edgedigits_runtime.reading.sheets import LEAST_FILLED, MOST_SHEETS, straight_sides

# Smallest region: as a fraction of the picture, and its sides in pixels of the reduced picture.
LEAST_REGION = 0.005
LEAST_SIDE = 10
# Smallest share of the picture in a tone, and smallest difference of two tones in grey levels.
LEAST_TONE = 0.002
LEAST_DIFFERENCE = 64
# Smallest share of the other tone in the rest; the inside of a drawn box has its own tone all around.
LEAST_GROUND = 0.5
# A mark of writing: least height in reduced pixels, as a fraction of its region and of its own width; largest stroke
# width as a fraction of its longer side and of the gaps between marks. Smaller specks are ignored, and a texture has
# more marks.
LEAST_HEIGHT = 6
LEAST_PART = 0.1
FLATTEST = 0.5
BROADEST = 0.35
TO_GROUND = 0.6
SPECK = 3
MOST_MARKS = 200
# Width of a region's blurred edge: EDGE in reduced pixels, plus BLUR in pixels of the picture.
EDGE, BLUR = 1.5, 2
RIM = 3  # Width of the rim in which the ground around a region is measured, in pixels.


@dataclass(frozen=True, eq=False)
class Region:
    """A part of a picture: its first row, and its first and last column in each row, int64 [rows]."""

    top: int
    first: NDArray[np.int64]
    last: NDArray[np.int64]

    @property
    def box(self) -> tuple[slice, slice]:
        rows = slice(self.top, self.top + len(self.first))
        return rows, slice(int(self.first.min()), int(self.last.max()) + 1)

    def mask(self) -> NDArray[np.bool_]:
        """Return which pixels of its box belong to it, bool [rows, columns]."""
        columns = np.arange(self.box[1].start, self.box[1].stop)
        return np.asarray((columns >= self.first[:, np.newaxis]) & (columns <= self.last[:, np.newaxis]))

    def cut(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return its box of a picture, [H, W, C]; pixels outside of its sides repeat the side's pixel."""
        rows, columns = self.box
        inside = np.clip(np.arange(columns.start, columns.stop), self.first[:, np.newaxis], self.last[:, np.newaxis])
        return np.asarray(picture[np.arange(rows.start, rows.stop)[:, np.newaxis], inside])

    def grown(self, by: int, shape: tuple[int, ...]) -> "Region":
        """Return it `by` pixels larger on every side, within a picture's shape."""
        first, last = (np.pad(side, 2 * by, mode="edge") for side in (self.first, self.last))
        rows = len(self.first) + 2 * by
        first = np.minimum(first[:rows], first[-rows:]) - by
        last = np.maximum(last[:rows], last[-rows:]) + by
        top = max(self.top - by, 0)
        kept = slice(top - self.top + by, shape[0] - self.top + by)
        return Region(top, *(np.clip(side[kept], 0, shape[1] - 1) for side in (first, last)))

    def shrunk(self, by: int) -> "Region | None":
        """Return it `by` pixels smaller on every side; None if nothing is left."""
        # For a shape without bays, the intersection of the shape moved up and moved down.
        first = np.maximum(self.first[: -2 * by], self.first[2 * by :]) + by
        last = np.minimum(self.last[: -2 * by], self.last[2 * by :]) - by
        rows = np.flatnonzero(first <= last)
        if not len(rows):
            return None
        kept = slice(int(rows[0]), int(rows[-1]) + 1)
        return Region(self.top + by + kept.start, first[kept], last[kept])


def without_regions(picture: NDArray[np.uint8], regions: list[Region]) -> NDArray[np.uint8]:
    """Return a picture, uint8 [H, W, C], with each region replaced by the ground around it."""
    rest = picture.copy()
    for region in regions:
        around = region.grown(RIM, picture.shape)
        rim = around.mask()
        rows, columns = region.box[0].start - around.box[0].start, region.box[1].start - around.box[1].start
        own = region.mask()
        rim[rows : rows + own.shape[0], columns : columns + own.shape[1]] &= ~own
        if rim.any():
            rest[region.box][own] = np.median(picture[around.box][rim], axis=0).astype(np.uint8)
    return rest


def find_regions(small: NDArray[np.uint8], factor: int, shape: tuple[int, ...]) -> list[Region]:
    """Return the regions in pixels of a picture of this shape; none if all writing has one polarity.

    `small` are the picture's darkest channels, uint8 [h, w], reduced by `factor`.
    """
    threshold, difference = _two_tones(small)
    if difference < LEAST_DIFFERENCE:
        return []
    dark = small <= threshold
    for tone in (dark, ~dark):
        found = _regions(tone)
        if found and _is_written_on(tone, found):
            return [_enlarged(region, factor, shape) for region in found]
    return []


def _regions(tone: NDArray[np.bool_]) -> list[Region]:
    """Return the parts of a tone, bool [h, w], that are filled quadrilaterals with writing of the other tone."""
    components = find_components(tone)
    top, left, bottom, right = components.boxes.T
    large = (components.areas >= LEAST_REGION * tone.size) & (np.minimum(bottom - top, right - left) >= LEAST_SIDE)
    # A component that reaches all four sides is the picture's own ground.
    large &= (bottom - top < tone.shape[0]) | (right - left < tone.shape[1])
    found = [_region(tone, components, k) for k in np.flatnonzero(large).tolist()]
    return [region for region in found if region is not None] if len(found) <= MOST_SHEETS else []


def _region(tone: NDArray[np.bool_], components: Components, number: int) -> Region | None:
    mask = components.mask(number)
    sides = straight_sides(mask)
    if sides is None:
        return None
    top, left, _, _ = components.boxes[number].tolist()
    region = Region(top, left + sides[0], left + sides[1])
    filled = np.count_nonzero(mask) >= LEAST_FILLED * np.count_nonzero(region.mask())
    return region if filled and _holds_marks(~tone[region.box], LEAST_PART * len(mask)) else None


def _is_written_on(tone: NDArray[np.bool_], regions: list[Region]) -> bool:
    """Return whether the rest of the picture is of the other tone and holds marks of this one."""
    rest = np.ones(tone.shape, bool)
    for region in regions:
        rest[region.box] &= ~region.mask()
    if np.count_nonzero(rest & ~tone) < LEAST_GROUND * np.count_nonzero(rest):
        return False
    return _holds_marks(rest & tone, 0)


def _holds_marks(mask: NDArray[np.bool_], least: float) -> bool:
    """Return whether most of a mask, bool [h, w], off its edge and without specks, is strokes at least `least` high."""
    # The first component is the padding with everything that touches it.
    components = find_components(np.pad(mask, 1, constant_values=True))
    top, left, bottom, right = components.boxes.T
    high, wide = bottom - top, right - left
    counted = np.flatnonzero(np.maximum(high, wide) >= SPECK)[1:]
    if not 0 < len(counted) <= MOST_MARKS:
        return False
    high_enough = high >= np.maximum(max(least, LEAST_HEIGHT), FLATTEST * wide)
    broadest = np.minimum(BROADEST * np.maximum(high, wide), TO_GROUND * mask_stroke_width(~mask))
    marks = [k for k in counted[high_enough[counted]].tolist() if mask_stroke_width(components.mask(k)) <= broadest[k]]
    return 2 * len(marks) > len(counted)


def _enlarged(region: Region, factor: int, shape: tuple[int, ...]) -> Region:
    """Return a region of the reduced picture in pixels of the picture."""
    top, rows = region.top * factor, len(region.first)
    bottom = min((region.top + rows) * factor, shape[0])
    places = (np.arange(top, bottom) + 0.5) / factor - 0.5 - region.top
    first = np.interp(places, np.arange(rows), region.first * factor)
    last = np.interp(places, np.arange(rows), (region.last + 1) * factor - 1)
    return Region(top, first.astype(np.int64), np.minimum(last.astype(np.int64), shape[1] - 1))


def edge_width(factor: int) -> int:
    """Return how far from a region's side pixels may mix both grounds, in pixels."""
    return round(EDGE * factor) + BLUR


def _two_tones(grey: NDArray[np.uint8]) -> tuple[int, int]:
    """Return the level half way between the darkest and the lightest tone, and the difference of the two."""
    # Unlike Otsu's threshold (1979) it finds a small region in a picture of uneven light.
    shares = np.cumsum(np.bincount(grey.reshape(-1), minlength=256)) / grey.size
    darkest, lightest = np.searchsorted(shares, [LEAST_TONE, 1 - LEAST_TONE]).tolist()
    return (darkest + lightest) // 2, lightest - darkest
