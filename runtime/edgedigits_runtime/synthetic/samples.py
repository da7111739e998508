"""Labelled samples of the project's own: framed digits to calibrate on, pictures for golden vectors."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgedigits_runtime.errors import ArrayError
from edgedigits_runtime.reading.frame import frame_digit
from edgedigits_runtime.synthetic.handwriting import draw_digit
from edgedigits_runtime.synthetic.non_digits import KINDS, draw_non_digit
from edgedigits_runtime.synthetic.paper import Paper, set_on_paper

_DRAWN_SIZE = 96
# Gives the samples about the mean of MNIST's training images, 33.3.
_THICKNESS = (7.0, 15.0)

# Smaller, since they are drawn by the ten thousand, and a framed picture shows no more.
_OTHER_SIZE = 64

_GOLDEN_HEIGHT, _GOLDEN_WIDTH = 64, 56
_DARK_ON_LIGHT = Paper(ground=(244, 244, 244), ink=(40, 40, 40), light=0.08, blur=0.5)
_LIGHT_ON_DARK = Paper(ground=(36, 36, 36), ink=(238, 238, 238), light=0.08, blur=0.5)


def mnist_like(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw `count` digits, balanced over 0 to 9 and shuffled, framed as MNIST's are.

    Args:
        count: at least 0; the classes differ by one sample at most.
        seed: the same seed gives the same samples.

    Returns:
        Pictures uint8 [count, 28, 28], ink bright on black, and labels int64 [count].

    Raises:
        ArrayError: `count` is negative.
    """
    if count < 0:
        raise ArrayError(f"count must be at least 0, is {count}")
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count, dtype=np.int64) % 10)
    pictures = np.empty((count, 28, 28), np.uint8)
    for picture, label in zip(pictures, labels.tolist(), strict=True):
        thickness = rng.uniform(*_THICKNESS)
        picture[:] = frame_digit(draw_digit(label, rng, size=_DRAWN_SIZE, thickness=thickness))
    return pictures, labels


def non_digit_samples(count: int, seed: int) -> NDArray[np.uint8]:
    """Draw `count` marks that are no digits, balanced over other_marks.KINDS and shuffled, framed as digits are.

    Args:
        count: at least 0; the kinds differ by one sample at most.
        seed: the same seed gives the same samples.

    Returns:
        Pictures uint8 [count, 28, 28], ink bright on black, none of them all black.

    Raises:
        ArrayError: `count` is negative.
    """
    if count < 0:
        raise ArrayError(f"count must be at least 0, is {count}")
    rng = np.random.default_rng(seed)
    kinds = rng.permutation(np.arange(count) % len(KINDS))
    pictures = np.empty((count, 28, 28), np.uint8)
    for picture, kind in zip(pictures, kinds.tolist(), strict=True):
        picture[:] = frame_digit(draw_non_digit(rng, kind=KINDS[kind], size=_OTHER_SIZE))
    return pictures


def golden_pictures(seed: int = 7) -> list[tuple[bytes, str]]:
    """Draw one small PNG file per digit, alternately dark on light and light on dark.

    Returns:
        Ten pairs of a PNG file (8-bit grey, 56 pixels wide, 64 high; under 20 kB together) and its text.
    """
    pairs = []
    for digit in range(10):
        # A generator for each digit, so that a change to one hand leaves the other digits' vectors alone.
        rng = np.random.default_rng([seed, digit])
        ink = np.zeros((_GOLDEN_HEIGHT, _GOLDEN_WIDTH), np.uint8)
        offset = (_GOLDEN_HEIGHT - _GOLDEN_WIDTH) // 2
        drawn = draw_digit(digit, rng, size=_GOLDEN_WIDTH, thickness=rng.uniform(4.5, 7.0))
        ink[offset : offset + _GOLDEN_WIDTH] = drawn
        paper = _DARK_ON_LIGHT if digit % 2 == 0 else _LIGHT_ON_DARK
        # Grey, as places that replay the vectors may weigh colours differently.
        pairs.append((_png(set_on_paper(ink, paper, rng).convert("L")), str(digit)))
    return pairs


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()
