"""Faces and shoulders, drawn, as a camera before a screen sees them all day."""

import numpy as np

from edgedigits.scenes.grounds import colour
from edgedigits.scenes.opencv import cv2
from edgedigits.scenes.painter import Colour, Painter


def face(painter: Painter) -> None:
    """Paint a head with hair, eyes, nose and mouth, and shoulders, over the picture."""
    rng, side = painter.rng, painter.side
    size = painter.between(0.12, 0.4) * side
    x, y = painter.between(0.25, 0.75) * side, painter.between(0.3, 0.6) * side
    skin = skin_colour(painter)
    dark = tuple(value // 3 for value in skin)
    layer = painter.picture.copy()

    def oval(
        across: float, down: float, wide: float, tall: float, tone: Colour | tuple[int, ...], arc: int = 360
    ) -> None:
        middle = (round(16 * (x + across * size)), round(16 * (y + down * size)))
        axes = (max(round(16 * wide * size), 8), max(round(16 * tall * size), 8))
        cv2.ellipse(
            layer, middle, axes, 0, 0 if arc == 360 else 20, arc, tone, -1 if arc == 360 else thick, cv2.LINE_AA, 4
        )

    thick = max(round(size * painter.between(0.02, 0.06)), 1)
    hair = colour(rng, 0, 120)
    oval(0, 2.1, 1.5, 1.0, colour(rng))
    oval(0, -0.15, 0.82, painter.between(0.95, 1.25), hair)
    oval(0, 1.0, 0.32, 0.5, skin)
    oval(0, 0.05, 0.72, 0.95, skin)
    apart, glasses = painter.between(0.24, 0.34), painter.chance(0.3)
    for way in (-apart, apart):
        oval(way, -0.1, 0.13, 0.06, (235, 235, 230))
        oval(way + painter.between(-0.03, 0.03), -0.1, 0.055, 0.055, dark)
        oval(way, -0.22, 0.17, 0.03, hair)
        if glasses:
            oval(way, -0.1, 0.2, 0.17, dark, arc=380)
    oval(0, 0.2, 0.09, 0.16, tuple(round(0.88 * value) for value in skin))
    if painter.chance(0.5):
        oval(0, 0.48, 0.25, 0.1, (150, 70, 70), arc=160)
    else:
        oval(0, 0.52, 0.2, painter.between(0.03, 0.1), (150, 70, 70))
    blurred = cv2.GaussianBlur(layer, (0, 0), max(size * painter.between(0.005, 0.04), 0.4))
    painter.picture[:] = blurred


def skin_colour(painter: Painter) -> Colour:
    """Return a colour of skin."""
    tone = np.array([225, 170, 140]) * painter.between(0.35, 1.08) + painter.rng.normal(0, 6, 3)
    red, green, blue = (int(value) for value in np.clip(tone, 0, 255))
    return red, green, blue
