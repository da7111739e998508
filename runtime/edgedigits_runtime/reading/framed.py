"""Images framed as MNIST frames digits, in 28x28 pixels: recognise them, and fit them to a model's input.

MNIST's digits fill a box of 20x20 pixels, and their centre of mass is in the middle of 28x28 (LeCun, Cortes and Burges,
http://yann.lecun.com/exdb/mnist). The middle is pixel 14: the centres of mass of all but 2 of the 60,000 training
images, weighted by grey and in pixel indices, lie within half a pixel of (14, 14).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.box import Box
from edgedigits_runtime.reading.resampling import resized

SIDE = 28
BOX = 20
CENTRE = 14

PLACES = np.arange(SIDE, dtype=np.float32)
RIM = np.array([k for k in range(SIDE * SIDE) if {k // SIDE, k % SIDE} & {0, SIDE - 1}])
"""Indices of the outermost pixels."""
EVEN_RIM = 90
"""Least number of outermost pixels, of 108, at the level of the first."""

FRAME_SHAPE = (SIDE, SIDE, 1)

GREY, THICKEST = 1.9, 4.0
"""Stroke widths in pixels of the box, outside of which they may be changed; see stroke_width."""


def plain_inks(pictures: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """Return the ink of each 28x28 picture, uint8 [28, 28, C], on a ground of one level; an empty array for any other.

    The ground is the level of nearly all outermost pixels: an image framed as MNIST frames digits has such a rim, which
    its ink may touch.
    """
    inks = [np.zeros((0, 0), np.uint8)] * len(pictures)
    sized = [k for k, picture in enumerate(pictures) if picture.shape[:2] == (SIDE, SIDE)]
    if not sized:
        return inks
    stack = np.array([pictures[k][..., 0] for k in sized]).reshape(-1, SIDE * SIDE)
    grey = [pictures[k].shape[2] == 1 or bool((pictures[k] == pictures[k][..., :1]).all()) for k in sized]
    ground = stack[:, :1]
    plain = np.count_nonzero(stack[:, RIM] == ground, axis=1) >= EVEN_RIM
    # On a light ground ink is dark: inverted, it is bright on a dark one. `ground` is a part of `stack`.
    stack ^= np.where(ground < 128, np.uint8(0), np.uint8(255))
    found = (np.maximum(stack, ground) - ground).reshape(-1, SIDE, SIDE)
    for k, ink, is_plain, is_grey in zip(sized, found, plain.tolist(), grey, strict=True):
        if is_plain and is_grey:
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
    # All sums are whole numbers that float32 holds.
    stack = np.array([inks[k] for k in sized], np.float32)
    sums = np.concatenate([np.add.reduce(stack, 1), np.add.reduce(stack, 2)]).reshape(2, -1, SIDE)
    start, length = extent(sums)
    longest = length.max(axis=0)
    weight = np.maximum(np.add.reduce(sums[0], 1, np.float64), 1)
    away = np.abs((sums @ PLACES) / weight - CENTRE)
    framed = ((longest == BOX - 1) | (longest == BOX)) & (away.max(axis=0) <= 0.5)
    for k, is_framed, box in zip(sized, framed.tolist(), np.concatenate([start, length]).T.tolist(), strict=True):
        boxes[k] = Box(*box) if is_framed else None
    return boxes


def extent(ink: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first index of ink and its length along the last axis."""
    inked = ink > 0
    first, behind = inked.argmax(axis=-1), inked[..., ::-1].argmax(axis=-1)
    return first, ink.shape[-1] - behind - first


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


def grey_stroke_width(digit: NDArray[np.uint8]) -> float:
    """Return the mean stroke width in pixels of uint8 [h, w]: twice the ink divided by the length of its outline.

    The length is the total variation (coarea formula), which also holds for grey edges.
    """
    return float(grey_stroke_widths(digit[np.newaxis])[0])


def grey_stroke_widths(digits: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return `grey_stroke_width` of each of uint8 [N, h, w]."""
    count, height, width = digits.shape
    padded = np.zeros((count, height + 2, width + 2), np.float32)
    padded[:, 1:-1, 1:-1] = digits
    down, right = padded[:, 1:] - padded[:, :-1], padded[:, :, 1:] - padded[:, :, :-1]
    slope = np.hypot(down[:, :, 1:] + down[:, :, :-1], right[:, 1:] + right[:, :-1])
    outline = slope.sum(axis=(1, 2), dtype=np.float64) / 2
    ink = 2.0 * digits.sum(axis=(1, 2), dtype=np.int64)
    widths: NDArray[np.float64] = np.divide(ink, outline, out=np.zeros(len(digits)), where=outline > 0)
    return widths
