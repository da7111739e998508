"""One drawn picture with its truth."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Part = Literal["train", "validation"]
Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

LETTER = 10
"""Class of a letter or mark that stands alone and that nobody takes for a digit."""
IGNORED = -1
"""Class of what may or may not be found: letters like digits, and digits too small, cut off or near the noise."""
LIKE_DIGITS = frozenset("OoDQIlZzSsBbGgq")
"""Letters that people take for digits, as in the list of the refused letters."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture and what stands on it.

    Args:
        pixels: uint8 [H, W, 3].
        boxes: float32 [N, 4]: x, y, width, height in pixels, tight around the ink in the finished picture.
        classes: int64 [N]: 0 to 9, LETTER or IGNORED.
        lines: the numbers whose digits are all to be found, in reading order; a scene with IGNORED digits may show
            more.
    """

    pixels: Pixels
    boxes: Floats
    classes: NDArray[np.int64]
    lines: tuple[str, ...]
