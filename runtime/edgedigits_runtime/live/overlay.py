"""Overlay: a frame with its digits outlined and a caption below, fast enough for live pictures."""

from PIL import Image, ImageDraw

from edgedigits_runtime.drawing.canvas import GROUND, INK, colour_of, draw_on, font, printable, text_width
from edgedigits_runtime.live.tracking import PixelBox
from edgedigits_runtime.live.watching import LiveReading
from edgedigits_runtime.reading.results import Digit

CAPTION_SHARE, LEAST_CAPTION = 14, 26
"""The caption's height is the frame's height over the first, at least the second, in pixels."""


def draw_overlay(live: LiveReading, status: str = "", roi: PixelBox | None = None) -> Image.Image:
    """Return the frame, RGB, with a box and label for each digit and the number in a caption below.

    Args:
        live: reading of the frame.
        status: small text at the right of the caption.
        roi: region of interest to outline.
    """
    frame = Image.fromarray(live.frame.pixels)
    caption = max(LEAST_CAPTION, frame.height // CAPTION_SHARE)
    image = Image.new("RGB", (frame.width, frame.height + caption), GROUND)
    image.paste(frame)
    draw = draw_on(image)
    if roi:
        x, y, width, height = roi
        draw.rectangle((x, y, x + width - 1, y + height - 1), outline=GROUND)
    for digit, visible in zip(live.reading.digits, live.visible, strict=True):
        if visible:
            _draw_digit(draw, digit, caption)
    _draw_caption(draw, image, live, caption, status)
    return image


def _draw_digit(draw: ImageDraw.ImageDraw, digit: Digit, size: int) -> None:
    x, y, width, height = digit.box
    colour, line = colour_of(digit.confidence), max(2, size // 9)
    draw.rectangle((x - line, y - line, x + width + line - 1, y + height + line - 1), outline=colour, width=line)
    label, high = printable(digit.label), round(1.1 * size)
    wide = max(text_width(label, size) + size // 2, width + 2 * line)
    # Below the box where there is no space above it.
    top = y - line - high if y - line - high >= 0 else y + height + line
    left = x + width / 2 - wide / 2
    draw.rectangle((left, top, left + wide - 1, top + high - 1), fill=colour)
    draw.text((left + wide / 2, top + high / 2), label, GROUND, font(size), anchor="mm")


def _draw_caption(draw: ImageDraw.ImageDraw, image: Image.Image, live: LiveReading, caption: int, status: str) -> None:
    top, size = image.height - caption, round(0.76 * caption)
    # Covers boxes that reach into the caption.
    draw.rectangle((0, top, image.width, image.height), fill=GROUND)
    text = printable(" / ".join(live.reading.text.splitlines())) or "no digit"
    draw.text((size / 2, top + caption / 2), text, INK, font(size), anchor="lm")
    small = max(10, round(0.55 * size))
    if status and text_width(text, size) + text_width(status, small) + 2 * size < image.width:
        draw.text((image.width - size / 2, top + caption / 2), status, INK, font(small), anchor="rm")
