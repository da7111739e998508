"""Characters as their writers left them: ink of any size, for scenes to be composed of and for framed digits."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgedigits.data.dataset import Dataset, Labels, Samples
from edgedigits.data.description import Description
from edgedigits_runtime.preprocessing import Images
from edgedigits_runtime.reading.frame import frame_digit
from edgedigits_runtime.reading.framed import FRAME_SHAPE

DIGITS = tuple("0123456789")
NON_DIGIT = 10
AMBIGUOUS = -1
MAY_BE_DIGITS = frozenset("OoDQIlZzSsBbGgq")
"""Letters that people take for a digit when they stand alone; every other letter is a non-digit to anyone."""


@dataclass(frozen=True, eq=False)
class Characters:
    """Single characters.

    Attributes:
        ink: uint8 [height, width] of each, bright on 0, cropped to the ink.
        names: the character of each, such as "7", "k" or "Greek 03".
        classes: int64 [N]: 0 to 9 a digit, NON_DIGIT, or AMBIGUOUS (a letter or shape that may be a digit).
        writers: int64 [N]: characters of one writer share a number. Where the source names only groups of writers, it
            is the number of the group: characters with different numbers are of different writers.
    """

    ink: tuple[Images, ...]
    names: tuple[str, ...]
    classes: Labels
    writers: Labels

    def __len__(self) -> int:
        return len(self.ink)

    def where(self, chosen: NDArray[np.bool_]) -> "Characters":
        """Return the characters at which `chosen`, bool [N], is true."""
        kept = np.flatnonzero(chosen).tolist()
        ink, names = (tuple(values[k] for k in kept) for values in (self.ink, self.names))
        return Characters(ink, names, self.classes[chosen], self.writers[chosen])  # type: ignore[arg-type]

    def framed(self, frame: Callable[[Images], Images] = frame_digit) -> Samples:
        """Return all characters framed as MNIST's digits are, uint8 [N, 28, 28, 1], with their classes."""
        images = np.zeros((len(self), *FRAME_SHAPE), np.uint8)
        for image, ink in zip(images, self.ink, strict=True):
            image[..., 0] = frame(ink)
        return Samples(images, self.classes)


def characters(ink: Iterable[Images], names: Sequence[str], writers: Sequence[int] | Labels) -> Characters:
    """Return characters with the classes that their names have, and their ink cropped."""
    cropped = tuple(crop(one) for one in ink)
    classes = np.array([class_of(name) for name in names], np.int64)
    return Characters(cropped, tuple(names), classes, np.asarray(writers, np.int64))


def class_of(name: str) -> int:
    """Return the class of a character: a digit's value, AMBIGUOUS for MAY_BE_DIGITS, else NON_DIGIT."""
    if name in DIGITS:
        return DIGITS.index(name)
    return AMBIGUOUS if name in MAY_BE_DIGITS else NON_DIGIT


def crop(ink: Images) -> Images:
    """Return a copy of the box around the ink, uint8 [H, W]; all of it where there is no ink."""
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        return ink.copy()
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].copy()


def digits_dataset(description: Description, found: Characters) -> Dataset:
    """Return the digits among the characters as a dataset without a test set, framed as MNIST's."""
    digits = found.where((found.classes >= 0) & (found.classes < NON_DIGIT))
    return Dataset(description.name, digits.framed(), None, description.labels, description.reader)
