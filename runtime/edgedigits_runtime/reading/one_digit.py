"""Find and frame the digit of pictures that have one each, without a network.

The reader asks the network which candidate is the digit; labelled data for measuring a network must not depend on it.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.frame import frame_digit
from edgedigits_runtime.reading.framed import framed_boxes
from edgedigits_runtime.reading.ink import find_inks
from edgedigits_runtime.reading.locate import locate
from edgedigits_runtime.reading.segments import best_one
from edgedigits_runtime.reading.shape import shape_faults

Found = Literal["one", "several", "none"]
"""One digit; one among other marks; none, as in a picture without ink or of a texture."""


def frame_one_digit(pictures: Sequence[NDArray[np.uint8]]) -> list[tuple[NDArray[np.uint8], Found]]:
    """Return the digit of each picture, uint8 [H, W, channels], framed in uint8 [28, 28], and whether it was clear.

    A picture that is framed already is not framed again. Among several marks the one is taken that the reader would
    take if the network were equally sure of all: mostly the largest. Without a digit, all the ink is framed.
    """
    inks = find_inks(pictures)
    return [(ink, "one") if box else _framed(ink) for ink, box in zip(inks, framed_boxes(inks), strict=True)]


def _framed(ink: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Found]:
    layout = locate(ink)
    if not layout.candidates:
        return frame_digit(ink), "none"
    images = np.array([frame_digit(candidate.ink) for candidate in layout.candidates], np.uint8)
    sure = np.ones(len(images), np.float32)
    faults = shape_faults(layout, images, sure)
    best = best_one(layout, sure, np.array([not fault for fault in faults]))
    chosen = layout.candidates[best]
    return images[best], "one" if chosen.last - chosen.first + 1 == layout.pieces else "several"
