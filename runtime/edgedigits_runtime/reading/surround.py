"""Find the plain surround of a picture, as screen captures, scanners and galleries add it.

A narrow surround may have any origin. A wide one, such as the bars beside a photo on a phone's screen, is recognised by
its exact colour, which no camera gives, around a picture whose edges vary as photos do and drawings do not.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Largest part of a side that a surround takes; pictures with a smaller side have none.
MOST_OF_SIDE = 0.1
LEAST_SIDE = 64
MOST_SURROUNDS = 3  # Surrounds may be nested: a window's title bar in its outline.
# A line of a surround has one colour in nearly all pixels; the lines inside have another one in most.
SAME, PLAIN = 12, 0.85
ALIKE, MOSTLY = 24, 0.85
TRANSITION = 3
SAMPLES = 256
# The colour around a photo is exact to a level. Along each edge of the photo at least BEYOND of the pixels have another
# colour (ink in a drawing takes a tenth), and at most MOST_ALIKE have the same colour.
EXACT = 1
BEYOND = 0.4
MOST_ALIKE = 0.75


def inside_surround(picture: NDArray[np.uint8]) -> tuple[slice, slice]:
    """Return the rows and columns of a picture, uint8 [H, W, C], inside its surround."""
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
    """Return the first and last row and column of a photo on one exact colour, else of the whole picture."""
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
    """Return the number of first lines, uint8 [lines, pixels, C], of exactly one colour."""
    samples = lines[:, :: -(-lines.shape[1] // SAMPLES)]
    colour = lines[0, 0]
    # Most pictures end here.
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
    """Return whether a line, uint8 [pixels, C], is a photo's over its whole length."""
    beyond = _same(rim, around).mean() <= 1 - BEYOND
    return bool(beyond and _same(rim, np.median(rim, axis=0)).mean() <= MOST_ALIKE)


def _same(pixels: NDArray[np.uint8], colour: NDArray[Any]) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = np.logical_and.reduce(np.abs(pixels - colour.astype(np.int16)) <= EXACT, axis=-1)
    return same


def _depth(lines: NDArray[np.uint8]) -> int:
    """Return the number of first lines, uint8 [lines, pixels, C], that are surround."""
    most = int(MOST_OF_SIDE * len(lines))
    step = -(-lines.shape[1] // SAMPLES)
    # Channels last in memory order would make the medians slow.
    first = lines[: most + TRANSITION + 1, ::step].transpose(0, 2, 1).astype(np.int16, order="C")
    # Most pictures have no surround, and their first line shows it.
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
