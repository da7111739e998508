"""Images that no network needs to see to refuse them: without contrast, or of noise alone.

The same rule is in C (microcontroller/writing/frame/blank.c) and in the page (reader/blank.js).
"""

import numpy as np
from numpy.typing import NDArray

LEAST_CONTRAST = 16
"""Difference of the darkest and the brightest pixel; digits of low contrast have 76 (benchmarks/robustness)."""

ROUGHEST = 17, 20
"""Mean squared difference of neighbouring pixels, as a fraction of that of any two. It is 1 for pixels that are
independent of each other, 0.88 or more for 28x28 of them. MNIST's training digits have up to 0.51, with added noise
0.83."""


def are_blank(images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return for each image, uint8 [N, H, W, C], whether it is blank or noise alone; in integers, exactly as C."""
    count, height, width, channels = images.shape
    size = height * width * channels
    pixels = images.reshape(count, size).astype(np.int64)
    pairs = channels * (height * (width - 1) + (height - 1) * width)
    signed = images.astype(np.int32)
    steps = (np.diff(signed, axis=axis) for axis in (1, 2))
    rough = sum(np.square(step).sum(axis=(1, 2, 3), dtype=np.int64) for step in steps)
    spread = np.square(pixels).sum(axis=1) - np.square(pixels.sum(axis=1)) // size
    share, of = ROUGHEST
    noise = of * rough * size >= share * 2 * pairs * spread
    blank: NDArray[np.bool_] = noise | (np.ptp(pixels, axis=1) < LEAST_CONTRAST)
    return blank
