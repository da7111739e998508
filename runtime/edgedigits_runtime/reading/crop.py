"""Crop the digits that a finder boxed, and frame the ink of each, by its own small surroundings.

Around each box lies a window of the picture: the ground is a plane fitted to the window's rim, and the ink is what
differs from it inside the box. Windows of about one size are processed together, each on a canvas of its own.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.components import widened
from edgedigits_runtime.reading.frame import frame_digits
from edgedigits_runtime.reading.framed import SIDE
from edgedigits_runtime.reading.ground_plane import from_ground
from edgedigits_runtime.reading.parts import Parts, foreign_pixels, own_strokes
from edgedigits_runtime.reading.windows import (
    DETAIL,
    Canvases,
    Mask,
    Pixels,
    Reductions,
    Whole,
    Windows,
    batches,
    windows_of,
)

Floats = NDArray[np.float32]

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
    picture = Reductions(pixels, own)
    for index in batches(own.size.max(axis=1, initial=0)):
        batch = own.part(index)
        ink = _ink(Canvases(picture, batch), windows.others(wanted[index]))
        found.framed[index] = frame_digits(ink)
        inked = np.flatnonzero(np.any(ink, axis=(1, 2)))
        found.boxes[index[inked]], found.fill[index[inked]] = _extents(ink[inked], batch.part(inked))
    return found


def _ink(canvases: Canvases, others: tuple[Whole, Windows]) -> Pixels:
    """Return the ink of each canvas's digit, uint8 [N, S, S], bright on 0, stretched to full contrast."""
    away, noise = from_ground(canvases)
    clean = noise < CLEAN
    away = _sharpened(away, canvases.windows, clean)
    ink, contrast, strokes = _strokes(away, noise, canvases.box, canvases.window)
    parts = Parts(strokes)
    lines = _lines(parts, strokes, canvases.windows)
    if lines is not None:
        # The ink may be fainter than the lines, or on the other side of the ground.
        ink, contrast, strokes = _strokes(away, noise, canvases.box & ~lines, canvases.window & ~lines)
        parts = Parts(strokes)
    own = own_strokes(strokes, parts, canvases, foreign_pixels(canvases, *others))
    # With the grey edges, but not those of other components.
    written = np.where(clean[:, np.newaxis, np.newaxis], own, widened(own) & ~(strokes & ~own) & canvases.window)
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


def _lines(parts: Parts, strokes: Mask, windows: Windows) -> Mask | None:
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
    count, side, _ = strokes.shape
    reach = int(SLOPE * side)
    columns = np.arange(side)
    shifts = np.rint(np.arange(-reach, reach + 1)[:, np.newaxis] * (columns / (side - 1) - 0.5)).astype(np.int64)
    # Of every stroke's pixel, the line that goes through it at each rise: where the line meets the middle.
    place, row, column = np.nonzero(strokes)
    middle = row - shifts[:, column]
    rise, pixel = np.nonzero((middle >= 0) & (middle < side))
    number = (place[pixel] * len(shifts) + rise) * side + middle[rise, pixel]
    lengths = np.bincount(number, minlength=count * len(shifts) * side).reshape(count, len(shifts), side)
    place, rise, row = np.nonzero(lengths >= LINE * widths[:, np.newaxis, np.newaxis])
    rows = row[:, np.newaxis] + shifts[rise]
    which, column = np.nonzero((rows >= 0) & (rows < side))
    lines = np.zeros(strokes.shape, bool)
    lines[place[which], rows[which, column], column] = True
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
