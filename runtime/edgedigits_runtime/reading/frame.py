"""Frame a digit's ink as MNIST does, in 28x28 pixels; `frame_digit` leaves images that are framed so unchanged."""

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.framed import (
    BOX,
    CENTRE,
    GREY,
    SIDE,
    THICKEST,
    extent,
    grey_stroke_width,
    grey_stroke_widths,
)
from edgedigits_runtime.reading.resampling import bilinear_weights, resized, weighted


def frame_digit(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return one digit, uint8 [h, w], bright on 0, framed in uint8 [28, 28]; all zeros where there is no ink."""
    framed = np.zeros((SIDE, SIDE), np.uint8)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        return framed
    digit = _in_box(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    height, width = digit.shape
    weight = digit.sum(dtype=np.int64)
    top = _start(digit.sum(axis=1, dtype=np.int64) @ np.arange(height) / weight, height)
    left = _start(digit.sum(axis=0, dtype=np.int64) @ np.arange(width) / weight, width)
    framed[top : top + height, left : left + width] = digit
    return framed


def frame_digits(inks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return many digits framed, uint8 [N, 28, 28], each exactly as `frame_digit` does; `inks` is uint8 [N, H, W]."""
    framed = np.zeros((len(inks), SIDE, SIDE), np.uint8)
    rows, columns = np.any(inks, axis=2), np.any(inks, axis=1)
    inked = np.flatnonzero(rows.any(axis=1))
    if not len(inked):
        return framed
    top, height = extent(rows[inked])
    left, width = extent(columns[inked])
    digits, sizes = _all_scaled(inks[inked], (top, height), (left, width))
    strokes = grey_stroke_widths(digits)
    for k in np.flatnonzero((strokes < GREY) | (strokes > THICKEST)).tolist():
        part = inks[inked[k], top[k] : top[k] + height[k], left[k] : left[k] + width[k]]
        changed = _with_usual_strokes(part, float(strokes[k]))
        if changed is not None:
            digit = _scaled(_tight(changed))
            digits[k], sizes[k] = 0, digit.shape
            digits[k, : len(digit), : digit.shape[1]] = digit
    framed[inked] = _centred(digits, sizes)
    return framed


def _in_box(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a digit, cropped to its ink, with its longest side at 20 pixels and a stroke width as in MNIST."""
    digit = _scaled(ink)
    changed = _with_usual_strokes(ink, grey_stroke_width(digit))
    return digit if changed is None else _scaled(_tight(changed))


def _with_usual_strokes(ink: NDArray[np.uint8], width: float) -> NDArray[np.uint8] | None:
    if GREY <= width <= THICKEST:
        return None
    # Here, so that usual digits are framed without it.
    from edgedigits_runtime.reading.stroke_width import with_usual_stroke_width

    return with_usual_stroke_width(ink, width)


def _tight(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _all_scaled(
    inks: NDArray[np.uint8],
    rows: tuple[NDArray[np.int64], NDArray[np.int64]],
    columns: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return `_scaled` of the part of each ink, uint8 [N, 20, 20] from the top left, and their heights and widths.

    `rows` and `columns` are the first of the part and how many, int64 [N].
    """
    longest = np.maximum(rows[1], columns[1])
    sides = (np.rint(length * BOX / longest).astype(np.int64) for length in (rows[1], columns[1]))
    height, width = (np.maximum(side, 1) for side in sides)
    across = bilinear_weights(columns, width, BOX, inks.shape[2])
    down = bilinear_weights(rows, height, BOX, inks.shape[1])
    narrow = weighted(inks.astype(np.float64), across.transpose(0, 2, 1))
    scaled = weighted(down, narrow)
    peak = np.where(longest == BOX, 255, np.maximum(scaled.max(axis=(1, 2)), 1)).astype(np.float32)
    digits = np.rint(scaled.astype(np.float32) * (255 / peak)[:, np.newaxis, np.newaxis]).astype(np.uint8)
    return digits, np.stack([height, width], axis=1)


def _centred(digits: NDArray[np.uint8], sizes: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return digits, uint8 [N, 20, 20] from the top left, with their centres of mass on pixel 14 of [N, 28, 28]."""
    places = np.arange(BOX)
    weight = digits.sum(axis=(1, 2), dtype=np.int64)
    padded = np.zeros((len(digits), BOX + 1, BOX + 1), np.uint8)
    padded[:, :BOX, :BOX] = digits
    taken = []
    for axis in (0, 1):
        centre = digits.sum(axis=2 - axis, dtype=np.int64) @ places / weight
        start = np.clip(np.floor(CENTRE - centre + 0.5), 0, SIDE - sizes[:, axis]).astype(np.int64)
        place = np.arange(SIDE) - start[:, np.newaxis]
        # Row and column 20 are empty.
        taken.append(np.where((place >= 0) & (place < BOX), place, BOX))
    each = np.arange(len(digits))[:, np.newaxis, np.newaxis]
    return padded[each, taken[0][:, :, np.newaxis], taken[1][:, np.newaxis]]


def _scaled(digit: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scale the longest side to 20 pixels, anti-aliased, with the brightest pixel at 255."""
    height, width = digit.shape
    longest = max(height, width)
    if longest == BOX:
        return digit
    size = (max(1, round(width * BOX / longest)), max(1, round(height * BOX / longest)))
    scaled = resized(digit, *size).astype(np.float32)
    # Scaling makes thin strokes grey; MNIST's reach full brightness.
    brightened: NDArray[np.uint8] = np.rint(scaled * (255 / max(float(scaled.max()), 1.0))).astype(np.uint8)
    return brightened


def _start(centre: float, length: int) -> int:
    """Return the offset that puts the centre of mass on pixel 14 but keeps `length` pixels inside the frame."""
    return int(min(max(np.floor(CENTRE - centre + 0.5), 0), SIDE - length))
