"""Border: a plain frame around the picture, as screen captures, scanners and galleries add it.

A narrow frame may be of any make. A wide one, such as the bars beside a photo on a telephone's screen, is told by its
one colour, exact as no camera takes it, around something whose edges vary as photos do and drawings do not.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# A frame takes at most this part of a side, and a picture with a smaller side has none.
MOST_OF_SIDE = 0.1
LEAST_SIDE = 64

# A frame may lie in another: a window's title bar in its outline.
MOST_SURROUNDS = 3

# A line of a frame has one colour in nearly all pixels; the lines inside have another, in most.
SAME, PLAIN = 12, 0.85
ALIKE, MOSTLY = 24, 0.85
TRANSITION = 3
SAMPLES = 256

# The colour around a photo is exact to a level. Along each of a photo's edges at least this part of the pixels has
# another colour, by chance the rest has the same; a drawing's ink takes a tenth. And no colour takes most of them.
EXACT = 1
BEYOND = 0.4
MOST_ALIKE = 0.75


def inside_surround(picture: NDArray[np.uint8]) -> tuple[slice, slice]:
    """Return the rows and columns of a picture, uint8 [H, W, C], that no frame covers."""
    rows, columns = [0, picture.shape[0]], [0, picture.shape[1]]
    if min(picture.shape[:2]) < LEAST_SIDE:
        return slice(*rows), slice(*columns)
    rows, columns = _photo(picture)
    for _ in range(MOST_SURROUNDS):
        inner = picture[slice(*rows), slice(*columns)]
        across = inner.transpose(1, 0, 2)
        depths = [_depth(lines) for lines in (inner, inner[::-1], across, across[::-1])]
        if not any(depths):
            break
        rows = [rows[0] + depths[0], rows[1] - depths[1]]
        columns = [columns[0] + depths[2], columns[1] - depths[3]]
    return slice(*rows), slice(*columns)


def _photo(picture: NDArray[np.uint8]) -> tuple[list[int], list[int]]:
    """Return the first and last row and column of a photo that lies on exactly one colour, else of all."""
    height, width = picture.shape[:2]
    across = picture.transpose(1, 0, 2)
    top, bottom, left, right = (_exact_lines(lines) for lines in (picture, picture[::-1], across, across[::-1]))
    rows, columns = [top, height - bottom], [left, width - right]
    whole = [0, height], [0, width]
    if min(rows[1] - rows[0], columns[1] - columns[0]) < LEAST_SIDE:
        return whole
    inner = picture[slice(*rows), slice(*columns)]
    across = inner.transpose(1, 0, 2)
    around = picture[0, 0] if top or left else picture[-1, -1]
    rims = [
        lines[TRANSITION]
        for depth, lines in zip((top, bottom, left, right), (inner, inner[::-1], across, across[::-1]), strict=True)
        if depth
    ]
    return (rows, columns) if all(_is_photo(rim, around) for rim in rims) else whole


def _exact_lines(lines: NDArray[np.uint8]) -> int:
    """Return how many of the first lines, uint8 [lines, pixels, C], are of exactly one colour."""
    samples = lines[:, :: -(-lines.shape[1] // SAMPLES)]
    colour = lines[0, 0]
    # Most pictures are no more than this line.
    if not _same(samples[0], colour).all():
        return 0
    step = -(-len(lines) // SAMPLES)
    exact: NDArray[np.bool_] = np.logical_and.reduce(_same(samples[::step], colour), axis=1)
    if exact.all():
        return len(lines)
    before = max((int(exact.argmin()) - 1) * step, 0)
    exact = np.logical_and.reduce(_same(samples[before : before + step + 1], colour), axis=1)
    return before + int(exact.argmin())


def _is_photo(rim: NDArray[np.uint8], around: NDArray[np.uint8]) -> bool:
    """Say whether a line, uint8 [pixels, C], is a photo's from end to end."""
    beyond = _same(rim, around).mean() <= 1 - BEYOND
    return bool(beyond and _same(rim, np.median(rim, axis=0)).mean() <= MOST_ALIKE)


def _same(pixels: NDArray[np.uint8], colour: NDArray[Any]) -> NDArray[np.bool_]:
    """Say of pixels, uint8 [..., C], whether they have a colour."""
    same: NDArray[np.bool_] = np.logical_and.reduce(np.abs(pixels - colour.astype(np.int16)) <= EXACT, axis=-1)
    return same


def _depth(lines: NDArray[np.uint8]) -> int:
    """Return how many of the first lines, uint8 [lines, pixels, C], are a frame."""
    most = int(MOST_OF_SIDE * len(lines))
    step = -(-lines.shape[1] // SAMPLES)
    # Channel by channel: medians are quickly found in what lies side by side.
    first = lines[: most + TRANSITION + 1, ::step].transpose(0, 2, 1).astype(np.int16, order="C")
    # Most pictures have no frame, and their first line says so.
    if (np.abs(first[0] - np.median(first[0], axis=1)[:, np.newaxis]).max(axis=0) <= SAME).mean() < PLAIN:
        return 0
    colours = np.median(first, axis=2)
    away = np.abs(first - colours[..., np.newaxis]).max(axis=1)
    plain = (away <= SAME).mean(axis=1) >= PLAIN
    framing = plain & (np.abs(colours - colours[0]).max(axis=1) <= SAME)
    depth = len(framing) if framing.all() else int(framing.argmin())
    if not 0 < depth <= most:
        return 0
    inside = depth + TRANSITION
    if np.abs(colours[inside] - colours[0]).max() <= 2 * SAME or (away[inside] <= ALIKE).mean() < MOSTLY:
        return 0
    same = np.abs(colours[depth : inside + 1] - colours[inside]).max(axis=1) <= SAME
    return depth + int(same.argmax())
