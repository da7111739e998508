"""Crop the digits that a finder boxed, and frame the ink of each, by its own small surroundings.

Around each box lies a window of the picture: the ground is a plane fitted to the window's rim, and the ink is what
differs from it inside the box. Windows of about one size are processed together, each on a canvas of its own.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.components import Components, find_components
from edgedigits_runtime.reading.frame import SIDE, frame_digits
from edgedigits_runtime.reading.windows import (
    DETAIL,
    Canvases,
    Mask,
    Pixels,
    Whole,
    Windows,
    batches,
    rectangles,
    windows_of,
)

Floats = NDArray[np.float32]

# The ground is fitted FITS times, each time without pixels that are OUTLIER times farther from it than the mean.
FITS = 2
OUTLIER = 1.5
STIFFNESS = 0.03  # Keeps the plane from tilting where its rim lies on one side only.
LEAST_RIM = 0.12  # A smaller rim, as a fraction of the window, is completed by the window's outermost pixels.
# The colour that separates ink from ground is searched by so many steps; a variance of the ground below GROUND_LEVELS
# squared, or GROUND_SHARE of the ink's, counts as that.
COLOUR_STEPS = 8
GROUND_LEVELS = 2.0
GROUND_SHARE = 0.03
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601: where the search starts.

# Small digits are blurred. What their pixels differ from the mean of 3x3 is added SHARPENED times, divided by their
# longest side in pixels, but at most MOST_SHARPENED times. Digits above DETAIL are sharp enough.
SHARPENED = 30.0
MOST_SHARPENED = 4.0

LEAST_CONTRAST = 8.0  # Less contrast, in grey levels, or less than INK_TO_NOISE times the noise, is no writing.
INK_TO_NOISE = 3.0
STROKE_LEVEL = 0.32  # Fraction of the full contrast from which a pixel is stroke.
CLEAN = 0.6  # A ground with less noise, in grey levels, is clean: then every trace of ink belongs to the digit.
FULL_CONTRAST = 230.0  # Contrast that is not stretched: MNIST's own images end at 254 or 255.

# A line goes through at least this much of a window's width, and rises by at most this much of its side over it; the
# window reaches at least this far beyond the box, in pixels of the canvas: a digit may fill its picture.
LINE = 0.95
SLOPE = 0.2
LEAST_RIM_WIDTH = 2.0
THICKEST_LINE = 5  # In pixels of the canvas, where a stroke crosses it.
# A component is a digit's own, as a whole, if this much of it is in the grown box, of that this much in the box itself,
# and at most this much nearer to the middle of another box. It is no speck beside the largest.
OWN, CORE, FOREIGN, SPECK = 0.55, 0.4, 0.05, 0.03
# If less of the ink in the box is of such components, the digit touches something: the others are cut off at the grown
# box and halfway to other boxes, and of the parts those count that have this share of the largest one's ink.
LEAST_OWN = 0.5
LEAST_PART = 0.2


@dataclass(frozen=True, eq=False)
class Crops:
    """Framed digits of a picture.

    Attributes:
        framed: uint8 [N, 28, 28], see frame_digit; all zeros where a box shows no ink.
        boxes: int64 [N, 4], x, y, width and height of the ink in picture pixels; the box itself where there is none.
        fill: float32 [N], the fraction of that box which is ink.
    """

    framed: Pixels
    boxes: Whole
    fill: Floats


def frame_found(pixels: Pixels, boxes: NDArray[np.floating]) -> Pixels:
    """Return what each box shows, framed in uint8 [N, 28, 28]; see crop_found."""
    return crop_found(pixels, boxes).framed


def crop_found(pixels: Pixels, boxes: NDArray[np.floating], wanted: Whole | None = None) -> Crops:
    """Crop and frame what boxes show.

    Args:
        pixels: uint8 [H, W], [H, W, 1] or RGB [H, W, 3]; any polarity and colours, which may differ between boxes.
        boxes: [N, 4], x, y, width and height in pixels, about tight; parts outside the picture are cut off. Ink shared
            by several boxes is divided among them.
        wanted: int64 [M], indices of the boxes to crop; all if None.
    """
    if pixels.ndim == 2:
        pixels = pixels[..., np.newaxis]
    windows = windows_of(np.asarray(boxes, np.float64).reshape(-1, 4), (pixels.shape[1], pixels.shape[0]))
    wanted = np.arange(len(windows.factor)) if wanted is None else wanted
    own = windows.part(wanted)
    found = Crops(np.zeros((len(wanted), SIDE, SIDE), np.uint8), own.outer, np.zeros(len(wanted), np.float32))
    for index in batches(own.size.max(axis=1, initial=0)):
        batch = own.part(index)
        ink = _ink(Canvases(pixels, batch), windows.others(wanted[index]))
        found.framed[index] = frame_digits(ink)
        inked = np.flatnonzero(np.any(ink, axis=(1, 2)))
        found.boxes[index[inked]], found.fill[index[inked]] = _extents(ink[inked], batch.part(inked))
    return found


def _ink(canvases: Canvases, others: tuple[Whole, Windows]) -> Pixels:
    """Return the ink of each canvas's digit, uint8 [N, S, S], bright on 0, stretched to full contrast."""
    away, noise = _from_ground(canvases)
    clean = noise < CLEAN
    away = _sharpened(away, canvases.windows, clean)
    ink, contrast, strokes = _strokes(away, noise, canvases.box, canvases.window)
    parts = _Parts(strokes)
    lines = _lines(parts, strokes, canvases.windows)
    if lines is not None:
        # The ink may be fainter than the lines, or on the other side of the ground.
        ink, contrast, strokes = _strokes(away, noise, canvases.box & ~lines, canvases.window & ~lines)
        parts = _Parts(strokes)
    own = _own(strokes, parts, canvases, _foreign(canvases, *others))
    # With the grey edges, but not those of other components.
    written = np.where(clean[:, np.newaxis, np.newaxis], own, _widened(own) & ~(strokes & ~own) & canvases.window)
    if lines is not None:
        written &= ~lines
    full = np.where(clean, (ink * own).max(axis=(1, 2)), contrast)
    full = np.where(full < FULL_CONTRAST, full, 255).astype(np.float32)
    stretched = np.minimum(np.rint(ink * (255 / np.maximum(full, 1))[:, np.newaxis, np.newaxis]), 255)
    shown: Pixels = (stretched * written).astype(np.uint8)
    return shown


def _sharpened(away: Floats, windows: Windows, clean: Mask) -> Floats:
    """Return differences from the ground, float32 [N, S, S], with small digits sharpened; `clean`, bool [N], stay."""
    longest = (windows.high - windows.low).max(axis=1)
    small = np.flatnonzero((longest <= DETAIL) & ~clean)
    if not len(small):
        return away
    padded = np.pad(away[small], ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    mean = (rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]) / 9
    strength = np.minimum(SHARPENED / longest[small], MOST_SHARPENED).astype(np.float32)
    sharpened = away.copy()
    sharpened[small] += strength[:, np.newaxis, np.newaxis] * (away[small] - mean)
    return sharpened


def _strokes(away: Floats, noise: Floats, box: Mask, window: Mask) -> tuple[Floats, Floats, Mask]:
    """Return ink, float32 [N, S, S], its contrast in the box, float32 [N], and which pixels of the window are strokes.

    Ink is what differs from the ground on the side that differs more.
    """
    within = away * box
    cubes = within * within * within
    signed = cubes.sum(axis=(1, 2))
    # A mean in which faint noise hardly counts.
    contrast = np.einsum("nij,nij->n", cubes, within) / np.maximum(np.abs(cubes).sum(axis=(1, 2)), 1e-3)
    ink = np.maximum(away * np.where(signed >= 0, 1, -1).astype(np.float32)[:, np.newaxis, np.newaxis], 0)
    least = np.where(noise < CLEAN, 0.99, np.maximum(INK_TO_NOISE * noise + 0.5, STROKE_LEVEL * contrast))
    strokes = (ink >= least[:, np.newaxis, np.newaxis]) & window
    strokes[contrast < np.maximum(LEAST_CONTRAST, INK_TO_NOISE * noise)] = False
    return ink, contrast, strokes


def _lines(parts: "_Parts", strokes: Mask, windows: Windows) -> Mask | None:
    """Return the pixels of straight lines across whole windows, without those of strokes that cross them, or None."""
    sizes = windows.size
    spanning = parts.spanning(sizes)
    before, behind = windows.on_canvas(windows.low), sizes - windows.on_canvas(windows.high)
    spanning &= np.minimum(before, behind) >= LEAST_RIM_WIDTH
    lines = np.zeros(strokes.shape, bool)
    for axis in (0, 1):
        index = np.flatnonzero(spanning[:, axis])
        if len(index):
            turned = strokes[index].transpose(0, 2, 1) if axis else strokes[index]
            found = _level_lines(turned, sizes[index, axis])
            lines[index] |= found.transpose(0, 2, 1) if axis else found
    return lines if lines.any() else None


def _level_lines(strokes: Mask, widths: Whole) -> Mask:
    """Return the pixels of lines from left to right, bool [N, S, S], that are level or nearly so."""
    side = strokes.shape[2]
    columns = np.arange(side)
    lines = np.zeros(strokes.shape, bool)
    reach = int(SLOPE * side)
    for rise in range(-reach, reach + 1):
        rows = columns[:, np.newaxis] + np.rint(rise * (columns / (side - 1) - 0.5)).astype(np.int64)
        inside = (rows >= 0) & (rows < side)
        sheared = strokes[:, np.clip(rows, 0, side - 1), columns] & inside
        place, row = np.nonzero(sheared.sum(axis=2) >= LINE * widths[:, np.newaxis])
        lines[place[:, np.newaxis], np.clip(rows[row], 0, side - 1), columns] |= inside[row]
    lines &= strokes
    # A stroke that crosses a line goes on above and below it.
    crossing = np.ones(strokes.shape, bool)
    for step in (1, -1):
        reached = strokes & ~lines
        for _ in range(THICKEST_LINE):
            moved = np.zeros_like(reached)
            ahead, behind = (slice(1, None), slice(None, -1))[::step]
            moved[:, ahead] = reached[:, behind]
            reached |= moved & lines
        crossing &= reached
    return lines & ~crossing


def _from_ground(canvases: Canvases) -> tuple[Floats, Floats]:
    """Return the difference of each pixel from its ground, float32 [N, S, S], and the ground's noise, float32 [N]."""
    count, side, _, channels = canvases.pixels.shape
    values = canvases.pixels.transpose(0, 3, 1, 2).reshape(count, channels, -1).astype(np.float32)
    rim, box = (mask.reshape(count, -1).astype(np.float32) for mask in (_rim(canvases), canvases.box))
    basis = _basis(side)
    plane, kept = _planes(values, rim, basis)
    away = plane @ basis - values
    if channels > 1:
        away = _ink_colour(away, kept, box) @ away
    noise = np.abs(away[:, 0] * kept).sum(axis=1) / np.maximum(kept.sum(axis=1), 1)
    return away.reshape(count, side, side), noise


def _rim(canvases: Canvases) -> Mask:
    """Return the pixels around each box, bool [N, S, S]; where hardly any are, also the outermost of the window."""
    rim = canvases.window & ~canvases.box
    small = rim.sum(axis=(1, 2)) < LEAST_RIM * canvases.window.sum(axis=(1, 2))
    if small.any():
        size = canvases.windows.size[small]
        inner = rectangles(np.ones(size.shape), size - 1, rim.shape[1])
        rim[small] |= canvases.window[small] & ~inner
    return rim


def _basis(side: int) -> Floats:
    """Return a constant, x and y in -1..1 for each pixel of a canvas, float32 [3, side * side]."""
    at = (2 * np.arange(side) + 1 - DETAIL) / DETAIL
    x, y = np.broadcast_to(at, (side, side)), np.broadcast_to(at[:, np.newaxis], (side, side))
    return np.stack([np.ones((side, side)), x, y]).reshape(3, -1).astype(np.float32)


def _planes(values: Floats, rim: Floats, basis: Floats) -> tuple[Floats, Floats]:
    """Fit a plane to the rim of each channel by least squares, without the ink of neighbours.

    Args:
        values: float32 [N, C, P].
        rim: float32 [N, P], 1 where the plane is fitted, else 0.
        basis: float32 [3, P].

    Returns:
        Factors of the basis, float32 [N, C, 3], and the pixels of the rim that were kept, float32 [N, P].
    """
    channels = values.shape[1]
    products = (basis[:, np.newaxis] * basis).reshape(9, -1).T
    kept = rim
    for fit in range(FITS):
        weight = np.maximum(kept.sum(axis=1), 1)
        square = (kept @ products).reshape(-1, 3, 3).astype(np.float64)
        # A whole plane has a mean square of a third along x and y.
        square += weight[:, np.newaxis, np.newaxis] * np.diag([1e-9, STIFFNESS, STIFFNESS])
        # As one product of two matrices, which is faster.
        sums = ((values * kept[:, np.newaxis]).reshape(-1, basis.shape[1]) @ basis.T).reshape(-1, channels, 3)
        plane = np.linalg.solve(square, sums.transpose(0, 2, 1)).transpose(0, 2, 1).astype(np.float32)
        if fit < FITS - 1:
            away = np.abs(plane @ basis - values).max(axis=1)
            most = OUTLIER * (away * kept).sum(axis=1) / weight
            kept = rim * (away <= np.maximum(most, 1)[:, np.newaxis])
    return plane, kept


def _ink_colour(away: Floats, ground: Floats, box: Floats) -> Floats:
    """Return the mix of channels, float32 [N, 1, 3], in which ink differs most from its ground, beside its noise.

    It is Fisher's linear discriminant, found by power iteration; `away` is float32 [N, 3, P], `ground` and `box`
    float32 [N, P] are 1 in the ground and in the box.
    """
    noise, ink = (
        (away * where[:, np.newaxis]) @ away.transpose(0, 2, 1) / np.maximum(where.sum(axis=1), 1)[:, None, None]
        for where in (ground, box)
    )
    least = GROUND_LEVELS**2 + GROUND_SHARE * np.trace(ink, axis1=1, axis2=2)
    ratio = np.linalg.solve(noise + least[:, np.newaxis, np.newaxis] * np.eye(3, dtype=np.float32), ink)
    mix = np.broadcast_to(np.array(LUMA, np.float32)[:, np.newaxis], (len(away), 3, 1))
    for _ in range(COLOUR_STEPS):
        mix = ratio @ mix
        mix = mix / np.maximum(np.abs(mix).sum(axis=1, keepdims=True), 1e-9)
    return mix.transpose(0, 2, 1)


def _foreign(canvases: Canvases, place: Whole, others: Windows) -> Mask | None:
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


def _own(strokes: Mask, parts: "_Parts", canvases: Canvases, foreign: Mask | None) -> Mask:
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
        cut = _Parts((inside | own)[touching])
        weight = cut.count(canvases.box[touching])
        own[touching] = cut.filled((weight > 0) & (weight >= LEAST_PART * cut.largest(weight)))
    return own


class _Parts:
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


def _widened(mask: Mask) -> Mask:
    """Add the eight neighbours of every pixel, bool [N, S, S]."""
    rows = mask.copy()
    rows[:, 1:] |= mask[:, :-1]
    rows[:, :-1] |= mask[:, 1:]
    wide = rows.copy()
    wide[:, :, 1:] |= rows[:, :, :-1]
    wide[:, :, :-1] |= rows[:, :, 1:]
    return wide


def _extents(ink: Pixels, windows: Windows) -> tuple[Whole, Floats]:
    """Return the boxes of ink on canvases in picture pixels, int64 [N, 4], and how much of each is ink."""
    corners = []
    for across in (1, 2):
        inked = np.any(ink, axis=across)
        first, last = inked.argmax(axis=1), inked.shape[1] - inked[:, ::-1].argmax(axis=1)
        corners.append((first, last))
    low = np.stack([first for first, _ in corners], axis=1)
    high = np.stack([last for _, last in corners], axis=1)
    fill = np.count_nonzero(ink, axis=(1, 2)) / (high - low).prod(axis=1)
    factor = windows.factor[:, np.newaxis]
    left, right = windows.start + factor * low, np.minimum(windows.start + factor * high, windows.end)
    return np.concatenate([left, right - left], axis=1), fill.astype(np.float32)
