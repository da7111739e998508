"""Digits as tiles of ink: uint8 [h, w], tight, ink bright, from the parts of public data that may be trained on.

Writers of "validation" are others than those of "train": MNIST's training rows are split by blocks of ten.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from edgedigits.scenes.scene import Part, Pixels

MNIST_BLOCK = 500
"""Rows of MNIST in a block, about the work of a few writers; every tenth block is validation."""


@dataclass(frozen=True, eq=False)
class Bank:
    """Images of digits: uint8 [N, H, W], and the rows of each class."""

    images: Pixels
    rows: tuple[NDArray[np.int64], ...]

    def tile(self, rng: np.random.Generator, digit: int) -> Pixels:
        """Return one digit, tight."""
        rows = self.rows[digit]
        return tight(self.images[rows[int(rng.integers(len(rows)))]])


def tight(image: Pixels, level: int = 40) -> Pixels:
    """Return the image cropped to its ink."""
    x, y, width, height = cv2.boundingRect(cv2.threshold(image, level, 255, cv2.THRESH_BINARY)[1])
    return image[y : y + height, x : x + width] if width else image


def _bank(images: Pixels, labels: NDArray[np.int64], keep: NDArray[np.bool_]) -> Bank:
    rows = np.flatnonzero(keep)
    return Bank(images, tuple(rows[labels[rows] == digit] for digit in range(10)))


@cache
def mnist(part: Part) -> Bank:
    """Return the digits of MNIST's training part."""
    from edgedigits.data import load_dataset

    samples = load_dataset("mnist").train
    held_out = np.arange(len(samples)) // MNIST_BLOCK % 10 == 9
    return _bank(samples.images[..., 0], samples.labels, held_out if part == "validation" else ~held_out)


SOURCES: dict[str, tuple[Callable[[Part], Bank], float]] = {"mnist": (mnist, 1.0)}
"""Sources of digits, each with its share."""


def digit_tile(rng: np.random.Generator, part: Part, digit: int) -> Pixels:
    """Return a digit of a random source."""
    return mnist(part).tile(rng, digit)
