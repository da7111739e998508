"""Drawn grey frames: one digit of either polarity on uneven ground, with noise, a bar or nothing beside it."""

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.synthetic.handwriting import draw_digit

SIZES = ((96, 96), (64, 56), (120, 160), (240, 320), (33, 97), (28, 28), (192, 100))


def draw_frame(seed: int) -> tuple[NDArray[np.uint8], int | None]:
    """Return a frame, uint8 [H, W], and its digit; None where there is none."""
    rng = np.random.default_rng([13, seed])
    height, width = SIZES[rng.integers(len(SIZES))]
    ground = rng.uniform(40, 220)
    rows, columns = np.linspace(-1, 1, height)[:, np.newaxis], np.linspace(-1, 1, width)
    scene = ground + rng.uniform(-30, 30) * rows + rng.uniform(-30, 30) * columns
    contrast = rng.uniform(25, 150) * (-1 if ground > 130 else 1)
    digit = int(rng.integers(10)) if rng.random() < 0.9 else None
    if digit is not None:
        side = max(16, int(min(height, width) * rng.uniform(0.45, 0.95)))
        ink = draw_digit(digit, rng, size=side)
        top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
        scene[top : top + side, left : left + side] += contrast * (ink / 255.0)
    if rng.random() < 0.2:
        scene[:, : max(1, width // 12)] += contrast
    scene += rng.normal(0, rng.uniform(0, 6), scene.shape)
    return np.clip(np.rint(scene), 0, 255).astype(np.uint8), digit
