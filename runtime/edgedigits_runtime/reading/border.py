"""Border: a plain frame around the picture, as screen captures, scanners and galleries add it."""

import numpy as np
from numpy.typing import NDArray

# A frame takes at most this part of a side, and a picture with a smaller side has none.
MOST_OF_SIDE = 0.1
LEAST_SIDE = 64

# A frame may lie in another: a window's title bar in its outline.
MOST_FRAMES = 3

# A line of a frame has one colour in nearly all pixels; the lines inside have another, in most.
SAME, PLAIN = 12, 0.85
ALIKE, MOSTLY = 24, 0.85
TRANSITION = 3
SAMPLES = 256


def within_frame(picture: NDArray[np.uint8]) -> tuple[slice, slice]:
    """Return the rows and columns of a picture, uint8 [H, W, C], that no frame covers."""
    rows, columns = [0, picture.shape[0]], [0, picture.shape[1]]
    if min(picture.shape[:2]) < LEAST_SIDE:
        return slice(*rows), slice(*columns)
    for _ in range(MOST_FRAMES):
        inner = picture[slice(*rows), slice(*columns)]
        across = inner.transpose(1, 0, 2)
        depths = [_depth(lines) for lines in (inner, inner[::-1], across, across[::-1])]
        if not any(depths):
            break
        rows = [rows[0] + depths[0], rows[1] - depths[1]]
        columns = [columns[0] + depths[2], columns[1] - depths[3]]
    return slice(*rows), slice(*columns)


def _depth(lines: NDArray[np.uint8]) -> int:
    """Return how many of the first lines, uint8 [lines, pixels, C], are a frame."""
    most = int(MOST_OF_SIDE * len(lines))
    step = -(-lines.shape[1] // SAMPLES)
    first = lines[: most + TRANSITION + 1, ::step].astype(np.int16)
    colours = np.median(first, axis=1)
    away = np.abs(first - colours[:, np.newaxis]).max(axis=2)
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
