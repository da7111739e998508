"""Fit a picture into the finder's input: resized, in the middle of a plain border."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgedigits_runtime.reading.found import STRIDES, Floats
from edgedigits_runtime.reading.resampling import resized

CELL = STRIDES[-1]
MOST_ZOOM = 2.0
"""A small picture is enlarged up to this factor: its digits are then of a size that training has seen often."""
MARGIN = 16
"""Border, in pixels, around a small picture: digits that fill it stand free."""


@dataclass(frozen=True, eq=False)
class Letterbox:
    """A picture in the finder's input.

    Args:
        pixels: uint8 [H, W, 3], H and W multiples of CELL.
        scale: pixels of the input by pixels of the picture, across and down.
        corner: of the picture in the input, x and y.
    """

    pixels: NDArray[np.uint8]
    scale: tuple[float, float]
    corner: tuple[int, int]

    def in_picture(self, boxes: Floats) -> Floats:
        """Convert boxes [N, 4] of the input to pixels of the picture."""
        moved = boxes - np.array([*self.corner, 0, 0], np.float32)
        return (moved / np.array([*self.scale, *self.scale], np.float32)).astype(np.float32)


def letterbox(pixels: NDArray[np.uint8], side: int) -> Letterbox:
    """Return a picture, uint8 [H, W, 3], or [H, W, 1] in grey, with its longer side at most `side`."""
    rows, columns = pixels.shape[:2]
    zoom = min(side / max(rows, columns), MOST_ZOOM)
    width, height = max(round(columns * zoom), 1), max(round(rows * zoom), 1)
    content = _fitted(pixels, width, height)
    scale, margin = (width / columns, height / rows), MARGIN if zoom > 1 else 0
    canvas_height, canvas_width = _with_border(height, margin, side), _with_border(width, margin, side)
    if content.shape == (canvas_height, canvas_width, 3):
        return Letterbox(np.ascontiguousarray(content), scale, (0, 0))
    canvas = np.empty((canvas_height, canvas_width, 3), np.uint8)
    left, top = (canvas_width - width) // 2, (canvas_height - height) // 2
    colour = ground_colour(pixels)
    canvas[:top], canvas[top + height :] = colour, colour
    canvas[top : top + height, :left], canvas[top : top + height, left + width :] = colour, colour
    canvas[top : top + height, left : left + width] = content
    return Letterbox(canvas, scale, (left, top))


def ground_colour(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the median colour of a picture's outermost pixels, uint8 [C]."""
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    median: NDArray[np.float64] = np.median(border, axis=0)
    return median.astype(np.uint8)


def _fitted(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Return a picture resized to width and height; a large one is averaged in squares first, which is faster."""
    rows, columns, channels = pixels.shape
    factor = max(rows, columns) // max(width, height)
    fitted = pixels if channels == 3 else pixels[..., 0]
    if factor > 1:
        fitted = np.asarray(Image.fromarray(fitted).reduce(factor))
    if fitted.shape[:2] != (height, width):
        # The last squares may reach out of the picture.
        fitted = resized(fitted, width, height, part=(columns / factor, rows / factor) if factor > 1 else None)
    return fitted.reshape(height, width, channels)


def _with_border(length: int, margin: int, side: int) -> int:
    """Return the length of the input for a length of the picture in it."""
    full = -(-side // CELL) * CELL
    return min(-(-(length + 2 * margin) // CELL) * CELL, full)
