"""Frame a digit's ink as MNIST does, in 28x28 pixels.

MNIST's digits fill a box of 20x20 pixels, and their centre of mass is in the middle of 28x28 (LeCun, Cortes and Burges,
http://yann.lecun.com/exdb/mnist). The middle is pixel 14: the centres of mass of all but 2 of the 60,000 training
images, weighted by grey and in pixel indices, lie within half a pixel of (14, 14). `frame_digit` leaves those images
unchanged.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.marks import Box
from edgedigits_runtime.reading.resampling import resized
from edgedigits_runtime.reading.stroke_width import with_usual_stroke_width

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


def _extent(ink: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
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
    changed = with_usual_stroke_width(ink, digit)
    if changed is None:
        return digit
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    return _scaled(changed[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


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
