"""Overlay: a frame with what was read drawn on it and a band below, as quickly as live pictures need it."""

from PIL import Image, ImageDraw

from edgedigits_runtime.drawing.canvas import GROUND, INK, colour_of, draw_on, font, printable, text_width
from edgedigits_runtime.live.tracking import PixelBox
from edgedigits_runtime.live.watching import LiveReading
from edgedigits_runtime.reading.results import Digit

BAND = 14
"""The band below, in which the number stands, is as high as the frame over this."""

LEAST_BAND = 26


def draw_overlay(live: LiveReading, status: str = "", roi: PixelBox | None = None) -> Image.Image:
    """Return the frame, RGB, a box around each digit with its value above it, and the number in a band below.

    Args:
        live: what was read.
        status: written small at the right of the band.
        roi: the part that is read, which is framed.
    """
    frame = Image.fromarray(live.frame.pixels)
    band = max(LEAST_BAND, frame.height // BAND)
    image = Image.new("RGB", (frame.width, frame.height + band), GROUND)
    image.paste(frame)
    draw = draw_on(image)
    if roi:
        x, y, width, height = roi
        draw.rectangle((x, y, x + width - 1, y + height - 1), outline=GROUND)
    for digit, there in zip(live.reading.digits, live.visible, strict=True):
        if there:
            _draw_digit(draw, digit, band)
    _draw_band(draw, image, live, band, status)
    return image


def _draw_digit(draw: ImageDraw.ImageDraw, digit: Digit, size: int) -> None:
    x, y, width, height = digit.box
    colour, line = colour_of(digit.confidence), max(2, size // 9)
    draw.rectangle((x - line, y - line, x + width + line - 1, y + height + line - 1), outline=colour, width=line)
    label, high = printable(digit.label), round(1.1 * size)
    wide = max(text_width(label, size) + size // 2, width + 2 * line)
    # Below where there is no room above.
    top = y - line - high if y - line - high >= 0 else y + height + line
    left = x + width / 2 - wide / 2
    draw.rectangle((left, top, left + wide - 1, top + high - 1), fill=colour)
    draw.text((left + wide / 2, top + high / 2), label, GROUND, font(size), anchor="mm")


def _draw_band(draw: ImageDraw.ImageDraw, image: Image.Image, live: LiveReading, band: int, status: str) -> None:
    top, size = image.height - band, round(0.76 * band)
    # Over what of a box reached into it.
    draw.rectangle((0, top, image.width, image.height), fill=GROUND)
    text = printable(" / ".join(live.reading.text.splitlines())) or "no digit"
    draw.text((size / 2, top + band / 2), text, INK, font(size), anchor="lm")
    small = max(10, round(0.55 * size))
    if status and text_width(text, size) + text_width(status, small) + 2 * size < image.width:
        draw.text((image.width - size / 2, top + band / 2), status, INK, font(small), anchor="rm")
