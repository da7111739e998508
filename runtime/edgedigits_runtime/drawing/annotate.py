"""Annotate a picture: a box around each digit with its value above and its confidence below."""

from collections.abc import Sequence
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

Corners = tuple[float, float, float, float]
"""Left, top, right and bottom."""

SMALLEST, LARGEST = 640, 1600
"""Pictures whose longest side is between these stay unscaled."""

# Minimum height of a digit in the drawing, up to a maximum number of pixels.
DIGIT_HEIGHT = 40
MOST_PIXELS = 8_000_000

SMALLEST_TEXT, LARGEST_TEXT = 13, 44
TEXT_TO_DIGIT = 0.3

CAPTION, CAPTION_GROUND = 40, "#eaeef2"
NARROWEST = 160


def annotate(picture: NDArray[np.uint8], reading: "Reading", boxes: Sequence[PixelBox] | None = None) -> Image.Image:
    """Return the picture, RGB, with its digits outlined and the text in a caption below.

    Small pictures and small digits are scaled up, large pictures down. Digits with a confidence below 90% have another
    colour.

    Args:
        picture: uint8 [H, W, 1] or [H, W, 3], upright.
        reading: reading of the picture.
        boxes: of the reading's digits in pixels of `picture`; by default the reading's own boxes.
    """
    placed = boxes or [digit.box for digit in reading.digits]
    scale = _scale(picture.shape[1], picture.shape[0], [height for _, _, _, height in placed])
    image = resized(as_image(picture), scale)
    corners = [_scaled(box, image, picture) for box in placed]
    heights = [bottom - top for _, top, _, bottom in corners]
    size = int(np.clip(TEXT_TO_DIGIT * np.median(heights or [DIGIT_HEIGHT]), SMALLEST_TEXT, LARGEST_TEXT))
    canvas, above = _with_margins(image, corners, size)
    draw = draw_on(canvas)
    for digit, (left, top, right, bottom) in zip(reading.digits, corners, strict=True):
        _draw_digit(draw, digit, (left, top + above, right, bottom + above), size)
    _draw_caption(draw, reading, canvas)
    return canvas


def outline_digits(picture: NDArray[np.uint8], digits: "Sequence[Digit]", width: int, height: int) -> Image.Image:
    """Return the picture, RGB, fitted into `width` x `height` pixels, with a box around each digit."""
    image = fitted(as_image(picture), width, height)
    draw = draw_on(image)
    for digit in digits:
        left, top, right, bottom = _scaled(digit.box, image, picture)
        draw.rectangle((left - 1, top - 1, right, bottom), outline=colour_of(digit.confidence))
    return image


def _scale(width: int, height: int, heights: Sequence[int]) -> float:
    longest = max(width, height)
    # Whole factors when enlarging, so that all pixels have the same size.
    scale = float(max(1, SMALLEST // longest)) if longest < SMALLEST else min(1.0, LARGEST / longest)
    if heights:
        needed = DIGIT_HEIGHT / float(np.median(heights))
        if needed > scale:
            scale = float(np.ceil(needed)) if needed > 1 else needed
    return min(scale, float(np.sqrt(MOST_PIXELS / (width * height))))


def _with_margins(image: Image.Image, corners: Sequence[Corners], size: int) -> tuple[Image.Image, int]:
    """Return the image with space for a caption and for labels beyond its edges, and how far it moved down."""
    label = round(1.5 * size)
    above = max(0, round(label - min((top for _, top, _, _ in corners), default=label)))
    below = max(0, round(label - min((image.height - bottom for *_, bottom in corners), default=label)))
    canvas = Image.new("RGB", (max(image.width, NARROWEST), image.height + above + below + CAPTION), GROUND)
    canvas.paste(image, (0, above))
    return canvas, above


def _scaled(box: PixelBox, image: Image.Image, picture: NDArray[np.uint8]) -> Corners:
    """Return a box of `picture` in pixels of its scaled `image`; rounding gives each axis its own factor."""
    x, y, width, height = box
    across, down = (image.width / picture.shape[1], image.height / picture.shape[0])
    return x * across, y * down, (x + width) * across, (y + height) * down


def _draw_digit(draw: ImageDraw.ImageDraw, digit: "Digit", corners: Corners, size: int) -> None:
    left, top, right, bottom = corners
    colour, line = colour_of(digit.confidence), max(2, size // 9)
    draw.rectangle((left - line, top - line, right + line - 1, bottom + line - 1), outline=colour, width=line)
    small = max(SMALLEST_TEXT - 2, round(0.62 * size))
    middle = (left + right) / 2
    _draw_tab(draw, printable(digit.label), (middle, top - line - round(1.2 * size)), size, colour)
    # Rounded down, so that only full confidence is 100%.
    _draw_tab(draw, f"{int(digit.confidence * 100)}%", (middle, bottom + line), small, colour)


def _draw_tab(draw: ImageDraw.ImageDraw, text: str, at: tuple[float, float], size: int, colour: str) -> None:
    """Write `text` on a coloured tab whose upper side is centred at `at`."""
    width, height = text_width(text, size) + size // 2, round(1.2 * size)
    canvas_width = draw.im.size[0]
    left = min(max(0.0, at[0] - width / 2), max(0.0, canvas_width - width))
    draw.rectangle((left, at[1], left + width - 1, at[1] + height - 1), fill=colour)
    draw.text((left + width / 2, at[1] + height / 2), text, GROUND, font(size), anchor="mm")


def _draw_caption(draw: ImageDraw.ImageDraw, reading: "Reading", canvas: Image.Image) -> None:
    top, size = canvas.height - CAPTION, CAPTION // 2
    draw.rectangle((0, top, canvas.width, canvas.height), fill=CAPTION_GROUND)
    lines = reading.text.splitlines()
    text = f"reads {printable(' / '.join(lines))}" if reading.digits else "no digit"
    if text_width(text, size) > canvas.width - size:
        text = count_in_words(reading)
    draw.text((size / 2, top + CAPTION / 2), text, INK, font(size), anchor="lm")


def count_in_words(reading: "Reading") -> str:
    """Return the number of digits and lines of a reading whose text is too long to print."""
    lines = len(reading.text.splitlines())
    return f"{len(reading.digits)} read" + (f" in {lines} lines" if lines > 1 else "")
