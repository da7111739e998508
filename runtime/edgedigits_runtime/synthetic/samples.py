"""Labelled samples of the project's own: digits for calibration, non-digits, and pictures for golden vectors."""

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.errors import ArrayError
from edgedigits_runtime.reading.frame import frame_digit
from edgedigits_runtime.synthetic.handwriting import draw_digit
from edgedigits_runtime.synthetic.non_digits import KINDS, draw_non_digit
from edgedigits_runtime.synthetic.paper import Paper, set_on_paper

_DRAWN_SIZE = 96
# Brings the mean of the samples close to that of MNIST's training images, 33.3.
_THICKNESS = (7.0, 15.0)
# Smaller for speed; a framed picture has no more detail.
_NON_DIGIT_SIZE = 64

_GOLDEN_HEIGHT, _GOLDEN_WIDTH = 64, 56
_DARK_ON_LIGHT = Paper(ground=(244, 244, 244), ink=(40, 40, 40), light=0.08, blur=0.5)
_LIGHT_ON_DARK = Paper(ground=(36, 36, 36), ink=(238, 238, 238), light=0.08, blur=0.5)


def mnist_like(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw `count` digits, balanced and shuffled, framed as in MNIST.

    Args:
        count: at least 0; class sizes differ by at most one.
        seed: the same seed gives the same samples.

    Returns:
        Pictures uint8 [count, 28, 28], ink bright on black, and labels int64 [count].

    Raises:
        ArrayError: `count` is negative.
    """

    def draw(label: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        return draw_digit(label, rng, size=_DRAWN_SIZE, thickness=rng.uniform(*_THICKNESS))

    return _framed(count, seed, 10, draw)


def non_digit_samples(count: int, seed: int) -> NDArray[np.uint8]:
    """Draw `count` non-digits, balanced over non_digits.KINDS and shuffled, framed like digits.

    Args:
        count: at least 0; the numbers of each kind differ by at most one.
        seed: the same seed gives the same samples.

    Returns:
        Pictures uint8 [count, 28, 28], ink bright on black, none entirely black.

    Raises:
        ArrayError: `count` is negative.
    """

    def draw(kind: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        return draw_non_digit(rng, kind=KINDS[kind], size=_NON_DIGIT_SIZE)

    return _framed(count, seed, len(KINDS), draw)[0]


def _framed(
    count: int, seed: int, classes: int, draw: Callable[[int, np.random.Generator], NDArray[np.uint8]]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return framed pictures of balanced, shuffled classes, and the classes."""
    if count < 0:
        raise ArrayError(f"count must be at least 0, is {count}")
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count, dtype=np.int64) % classes)
    pictures = np.empty((count, 28, 28), np.uint8)
    for picture, label in zip(pictures, labels.tolist(), strict=True):
        picture[:] = frame_digit(draw(label, rng))
    return pictures, labels


def golden_pictures(seed: int = 7) -> list[tuple[bytes, str]]:
    """Draw one small PNG file per digit, alternately dark on light and light on dark.

    Returns:
        Ten pairs of a PNG file (8-bit grey, 56 pixels wide, 64 high; under 20 kB together) and its text.
    """
    pairs = []
    for digit in range(10):
        # One generator per digit, so that a changed style leaves the vectors of other digits unchanged.
        rng = np.random.default_rng([seed, digit])
        ink = np.zeros((_GOLDEN_HEIGHT, _GOLDEN_WIDTH), np.uint8)
        offset = (_GOLDEN_HEIGHT - _GOLDEN_WIDTH) // 2
        drawn = draw_digit(digit, rng, size=_GOLDEN_WIDTH, thickness=rng.uniform(4.5, 7.0))
        ink[offset : offset + _GOLDEN_WIDTH] = drawn
        paper = _DARK_ON_LIGHT if digit % 2 == 0 else _LIGHT_ON_DARK
        file = io.BytesIO()
        # Grey, because ports may weigh colours differently.
        set_on_paper(ink, paper, rng).convert("L").save(file, "PNG", optimize=True)
        pairs.append((file.getvalue(), str(digit)))
    return pairs
