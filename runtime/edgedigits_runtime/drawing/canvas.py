"""What all drawings share: colours, the font, and pictures brought to a size that can be looked at."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Colour = str

INK, FAINT, GROUND = "#1f2328", "#6e7781", "#ffffff"
# Told apart by people with any colour vision: Okabe and Ito 2008, "Color Universal Design".
SURE, DOUBTFUL, REFUSED = "#0072b2", "#d55e00", "#9a6a8f"

DOUBT = 0.9
"""What is read with less confidence than this is drawn as doubtful."""


@lru_cache(maxsize=32)
def font(size: int) -> ImageFont.FreeTypeFont:
    """Return Pillow's own font, which needs no file on the machine; `size` in pixels."""
    found = ImageFont.load_default(size=size)
    if not isinstance(found, ImageFont.FreeTypeFont):
        raise TypeError(f"Pillow gave a font that cannot be scaled: {type(found).__name__}")
    return found


def printable(text: str) -> str:
    """Return `text` with "?" for each character that the built-in font does not have."""
    return text.encode("ascii", "replace").decode()


def text_width(text: str, size: int) -> int:
    """Return how many pixels wide `text` is at a font size."""
    return int(np.ceil(font(size).getlength(text)))


def shortened(text: str, size: int, width: int, *, keep_end: bool = False) -> str:
    """Return `text`, its end or else its beginning left out where it is wider than `width` pixels."""
    if text_width(text, size) <= width:
        return text
    # One cut by the mean width of a character, then one character at a time.
    keep = max(1, int(len(text) * width / text_width(text, size)))
    while keep > 1 and text_width(_cut(text, keep, keep_end), size) > width:
        keep -= 1
    return _cut(text, keep, keep_end)


def _cut(text: str, keep: int, keep_end: bool) -> str:
    return f"..{text[-keep:]}" if keep_end else f"{text[:keep]}.."


def as_image(pixels: NDArray[np.uint8]) -> Image.Image:
    """Return an RGB image of uint8 [H, W], [H, W, 1] or [H, W, 3]."""
    grey = pixels[..., 0] if pixels.shape[2:] == (1,) else pixels
    return Image.fromarray(np.ascontiguousarray(grey)).convert("RGB")


def resized(image: Image.Image, scale: float) -> Image.Image:
    """Return an image `scale` times as large: pixels stay squares on the way up, and are averaged on the way down."""
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    if size == image.size:
        return image
    return image.resize(size, Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BOX)


def fitted(image: Image.Image, width: int, height: int) -> Image.Image:
    """Return an image scaled to fit into `width` x `height` pixels, by a whole factor on the way up."""
    scale = min(width / image.width, height / image.height)
    return resized(image, float(int(scale)) if scale >= 1 else scale)


def colour_of(confidence: float) -> Colour:
    """Return the colour of what is read with a confidence of 0..1."""
    return SURE if confidence >= DOUBT else DOUBTFUL


def draw_on(image: Image.Image) -> ImageDraw.ImageDraw:
    """Return what draws on an image, in RGB."""
    return ImageDraw.Draw(image, "RGB")
