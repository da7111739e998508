"""Frame a digit's ink as MNIST does, in 28x28 pixels.

MNIST's digits fill a box of 20x20 pixels, and their centre of mass is in the middle of 28x28 (LeCun, Cortes and Burges,
http://yann.lecun.com/exdb/mnist). The middle is pixel 14: the centres of mass of all but 2 of the 60,000 training
images, weighted by grey and in pixel indices, lie within half a pixel of (14, 14). `frame_digit` leaves those images
unchanged.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.box import Box
from edgedigits_runtime.reading.resampling import bilinear_weights, resized, weighted
from edgedigits_runtime.reading.stroke_width import (
    GREY,
    THICKEST,
    grey_stroke_width,
    grey_stroke_widths,
    with_usual_stroke_width,
)

SIDE = 28
BOX = 20
CENTRE = 14

FRAME_SHAPE = (SIDE, SIDE, 1)


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
    top, height = _extent(rows[inked])
    left, width = _extent(columns[inked])
    digits, sizes = _all_scaled(inks[inked], (top, height), (left, width))
    strokes = grey_stroke_widths(digits)
    for k in np.flatnonzero((strokes < GREY) | (strokes > THICKEST)).tolist():
        part = inks[inked[k], top[k] : top[k] + height[k], left[k] : left[k] + width[k]]
        changed = with_usual_stroke_width(part, float(strokes[k]))
        if changed is not None:
            digit = _scaled(_tight(changed))
            digits[k], sizes[k] = 0, digit.shape
            digits[k, : len(digit), : digit.shape[1]] = digit
    framed[inked] = _centred(digits, sizes)
    return framed


def plain_inks(pictures: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """Return the ink of each 28x28 picture, uint8 [28, 28, C], on a ground of one level; an empty array for any other.

    The ground is the level of all outermost pixels: an image framed as MNIST frames digits has such a rim.
    """
    inks = [np.zeros((0, 0), np.uint8)] * len(pictures)
    sized = [k for k, picture in enumerate(pictures) if picture.shape[:2] == (SIDE, SIDE)]
    if not sized:
        return inks
    stack = np.stack([pictures[k][..., 0] for k in sized])
    grey = np.array([pictures[k].shape[2] == 1 or bool((pictures[k] == pictures[k][..., :1]).all()) for k in sized])
    ground = stack[:, :1, :1]
    rims = (stack[:, [0, -1]] == ground).all(axis=(1, 2)) & (stack[:, :, [0, -1]] == ground).all(axis=(1, 2))
    # On a dark ground ink is bright, and the other way round.
    differences = np.where(ground < 128, np.maximum(stack, ground) - ground, ground - np.minimum(stack, ground))
    for k, ink, plain in zip(sized, differences, (rims & grey).tolist(), strict=True):
        if plain:
            inks[k] = ink
    return inks


def framed_boxes(inks: Sequence[NDArray[np.uint8]]) -> list[Box | None]:
    """Return the box of each picture's ink, uint8 [H, W], if it is already framed as an MNIST image is, else None.

    Its longest side and both coordinates of its centre of mass must be those that framing gives; hardly any other 28x28
    picture has all three by chance. 13 of MNIST's 60,000 training images have a longest side of 19, none less.
    """
    boxes: list[Box | None] = [None] * len(inks)
    sized = [k for k, ink in enumerate(inks) if ink.shape == (SIDE, SIDE)]
    if not sized:
        return boxes
    stack = np.stack([inks[k] for k in sized])
    columns, rows = (stack.sum(axis=axis, dtype=np.int64) for axis in (1, 2))
    (x, width), (y, height) = _extent(columns), _extent(rows)
    longest = np.maximum(width, height)
    framed = (longest == BOX - 1) | (longest == BOX)
    for line in (columns, rows):
        framed &= np.abs(line @ np.arange(SIDE) / np.maximum(line.sum(axis=1), 1) - CENTRE) <= 0.5
    found = np.stack([x, y, width, height], axis=1).tolist()
    for k, box, is_framed in zip(sized, found, framed.tolist(), strict=True):
        boxes[k] = Box(*box) if is_framed else None
    return boxes


def _extent(ink: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first index of ink and its length for each row of [N, length]."""
    inked = ink > 0
    first, behind = inked.argmax(axis=1), inked[:, ::-1].argmax(axis=1)
    return first, ink.shape[1] - behind - first


def frame_plain(picture: NDArray[np.uint8], shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Return a picture, uint8 [H, W, channels], resized to `shape` (height, width, channels) without framing."""
    height, width, channels = shape
    return resized(picture[..., 0] if channels == 1 else picture, width, height).reshape(shape)


def fitted(framed: NDArray[np.uint8], shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Return framed digits, uint8 [N, 28, 28], resized to a model's images, uint8 [N, height, width, channels]."""
    height, width, channels = shape
    if (height, width) != (SIDE, SIDE):
        sized = [resized(digit, width, height) for digit in framed]
        framed = np.array(sized, np.uint8).reshape(len(framed), height, width)
    return np.repeat(framed[..., np.newaxis], channels, axis=3) if channels > 1 else framed[..., np.newaxis]


def _in_box(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a digit, cropped to its ink, with its longest side at 20 pixels and a stroke width as in MNIST."""
    digit = _scaled(ink)
    changed = with_usual_stroke_width(ink, grey_stroke_width(digit))
    return digit if changed is None else _scaled(_tight(changed))


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
