"""Annotate: the picture with a box around each digit, its value above and its confidence below."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from edgedigits_runtime.drawing.canvas import (
    GROUND,
    INK,
    as_image,
    colour_of,
    draw_on,
    fitted,
    font,
    printable,
    resized,
    text_width,
)

if TYPE_CHECKING:
    from edgedigits_runtime.reading.results import Digit, Reading

PixelBox = tuple[int, int, int, int]
"""x, y, width and height."""

# The longest side of what is drawn, between which pictures are left as large as they are.
SMALLEST, LARGEST = 640, 1600

# A digit has to stay this tall, whatever the size of its picture, and the drawing below so many pixels.
DIGIT_HEIGHT = 40
MOST_PIXELS = 8_000_000

SMALLEST_TEXT, LARGEST_TEXT = 13, 44
TEXT_TO_DIGIT = 0.3

CAPTION, CAPTION_GROUND = 40, "#eaeef2"
NARROWEST = 160


def annotate(picture: NDArray[np.uint8], reading: "Reading", boxes: Sequence[PixelBox] | None = None) -> Image.Image:
    """Return the picture, RGB, with what was read drawn on it and written below it.

    Small pictures and small digits are scaled up, large pictures down. What is read with less than 90% is drawn in
    another colour.

    Args:
        picture: uint8 [H, W, 1] or [H, W, 3], upright.
        reading: what was read in it.
        boxes: of the reading's digits in pixels of `picture`, where these are not those of its source.
    """
    placed = boxes or [digit.box for digit in reading.digits]
    scale = _scale(picture.shape[1], picture.shape[0], [height for _, _, _, height in placed])
    image = resized(as_image(picture), scale)
    # A reduced picture is not a multiple of its source; each axis has its own factor.
    factors = (image.width / picture.shape[1], image.height / picture.shape[0])
    rectangles = [_scaled(box, factors) for box in placed]
    heights = [rectangle.bottom - rectangle.top for rectangle in rectangles]
    size = int(np.clip(TEXT_TO_DIGIT * np.median(heights or [DIGIT_HEIGHT]), SMALLEST_TEXT, LARGEST_TEXT))
    canvas, above = _with_margins(image, rectangles, size)
    draw = draw_on(canvas)
    for digit, rectangle in zip(reading.digits, rectangles, strict=True):
        _draw_digit(draw, digit, rectangle.lowered(above), size)
    _draw_caption(draw, reading, canvas)
    return canvas


def outline_digits(picture: NDArray[np.uint8], digits: "Sequence[Digit]", width: int, height: int) -> Image.Image:
    """Return the picture fitted into `width` x `height` pixels, RGB, with nothing but a box around each digit.

    Args:
        picture: uint8 [H, W, 1] or [H, W, 3], in whose pixels the boxes are.
        digits: what was read in it.
        width, height: of the room, in pixels.
    """
    image = fitted(as_image(picture), width, height)
    draw = draw_on(image)
    factors = (image.width / picture.shape[1], image.height / picture.shape[0])
    for digit in digits:
        at = _scaled(digit.box, factors)
        draw.rectangle((at.left - 1, at.top - 1, at.right, at.bottom), outline=colour_of(digit.confidence))
    return image


@dataclass(frozen=True)
class _Rectangle:
    left: float
    top: float
    right: float
    bottom: float

    def lowered(self, by: float) -> "_Rectangle":
        return _Rectangle(self.left, self.top + by, self.right, self.bottom + by)


def _scale(width: int, height: int, heights: Sequence[int]) -> float:
    longest = max(width, height)
    # On the way up by whole factors, so that all pixels stay of one size.
    scale = float(max(1, SMALLEST // longest)) if longest < SMALLEST else min(1.0, LARGEST / longest)
    if heights:
        needed = DIGIT_HEIGHT / float(np.median(heights))
        if needed > scale:
            scale = float(np.ceil(needed)) if needed > 1 else needed
    return min(scale, float(np.sqrt(MOST_PIXELS / (width * height))))


def _with_margins(image: Image.Image, boxes: Sequence[_Rectangle], size: int) -> tuple[Image.Image, int]:
    """Return the image with a caption's room below it, and room for labels that would reach over its edges.

    Also returns how far the image was moved down.
    """
    label = round(1.5 * size)
    above = max(0, round(label - min((box.top for box in boxes), default=label)))
    below = max(0, round(label - min((image.height - box.bottom for box in boxes), default=label)))
    canvas = Image.new("RGB", (max(image.width, NARROWEST), image.height + above + below + CAPTION), GROUND)
    canvas.paste(image, (0, above))
    return canvas, above


def _scaled(box: PixelBox, factors: tuple[float, float]) -> _Rectangle:
    x, y, width, height = box
    across, down = factors
    return _Rectangle(x * across, y * down, (x + width) * across, (y + height) * down)


def _draw_digit(draw: ImageDraw.ImageDraw, digit: "Digit", box: _Rectangle, size: int) -> None:
    colour, line = colour_of(digit.confidence), max(2, size // 9)
    outer = (box.left - line, box.top - line, box.right + line - 1, box.bottom + line - 1)
    draw.rectangle(outer, outline=colour, width=line)
    small = max(SMALLEST_TEXT - 2, round(0.62 * size))
    middle = (box.left + box.right) / 2
    _draw_tab(draw, printable(digit.label), (middle, box.top - line - round(1.2 * size)), size, colour)
    _draw_tab(draw, _percent(digit.confidence), (middle, box.bottom + line), small, colour)


def _draw_tab(draw: ImageDraw.ImageDraw, text: str, at: tuple[float, float], size: int, colour: str) -> None:
    """Write on a ground of the box's colour; `at` is the middle of the tab's upper side."""
    width, height = text_width(text, size) + size // 2, round(1.2 * size)
    canvas_width = draw.im.size[0]
    left = min(max(0.0, at[0] - width / 2), max(0.0, canvas_width - width))
    draw.rectangle((left, at[1], left + width - 1, at[1] + height - 1), fill=colour)
    draw.text((left + width / 2, at[1] + height / 2), text, GROUND, font(size), anchor="mm")


def _percent(confidence: float) -> str:
    # Rounded down: "100%" is said of nothing less.
    return f"{int(confidence * 100)}%"


def _draw_caption(draw: ImageDraw.ImageDraw, reading: "Reading", canvas: Image.Image) -> None:
    top, size = canvas.height - CAPTION, CAPTION // 2
    draw.rectangle((0, top, canvas.width, canvas.height), fill=CAPTION_GROUND)
    lines = reading.text.splitlines()
    text = f"reads {printable(' / '.join(lines))}" if reading.digits else "no digit"
    if text_width(text, size) > canvas.width - size:
        text = f"{len(reading.digits)} read" + (f" in {len(lines)} lines" if len(lines) > 1 else "")
    draw.text((size / 2, top + CAPTION / 2), text, INK, font(size), anchor="lm")
