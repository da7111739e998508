"""Pictures that tests of several rooms draw."""

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.synthetic.handwriting import draw_digit


def fat_digit(seed: int) -> NDArray[np.uint8]:
    """Return a digit of a broad felt pen on even paper, with camera noise."""
    random = np.random.default_rng(seed)
    picture = np.full((300, 300), 230.0)
    ink = draw_digit(seed % 10, random, size=240, thickness=random.uniform(40, 60))
    picture[30:270, 30:270] -= 0.8 * ink
    return (picture + random.normal(0, 2, picture.shape)).clip(0, 255).astype(np.uint8)
