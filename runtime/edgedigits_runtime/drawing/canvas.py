"""Shared parts of all drawings: colours, font, and scaling of pictures for display."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

INK, FAINT, GROUND = "#1f2328", "#6e7781", "#ffffff"
# Distinguishable with colour vision deficiency: Okabe and Ito 2008, "Color Universal Design".
SURE, DOUBTFUL, REFUSED = "#0072b2", "#d55e00", "#9a6a8f"

DOUBT = 0.9
"""Confidence below which a digit is drawn as doubtful."""


@lru_cache(maxsize=32)
def font(size: int) -> ImageFont.FreeTypeFont:
    """Return Pillow's built-in font at `size` pixels."""
    found = ImageFont.load_default(size=size)
    if not isinstance(found, ImageFont.FreeTypeFont):
        raise TypeError(f"expected a scalable font, got {type(found).__name__}; install Pillow with FreeType")
    return found


def printable(text: str) -> str:
    """Return `text` with "?" for each character that the built-in font lacks."""
    return text.encode("ascii", "replace").decode()


def text_width(text: str, size: int) -> int:
    """Return the width of `text` in pixels at a font size."""
    return int(np.ceil(font(size).getlength(text)))


def shortened(text: str, size: int, width: int) -> str:
    """Return `text`, cut at the end if it is wider than `width` pixels."""
    if text_width(text, size) <= width:
        return text
    # Cut by the mean width of a character first, then one character at a time.
    keep = max(1, int(len(text) * width / text_width(text, size)))
    while keep > 1 and text_width(f"{text[:keep]}..", size) > width:
        keep -= 1
    return f"{text[:keep]}.."


def as_image(pixels: NDArray[np.uint8]) -> Image.Image:
    """Return an RGB image of uint8 [H, W], [H, W, 1] or [H, W, 3]."""
    grey = pixels[..., 0] if pixels.shape[2:] == (1,) else pixels
    return Image.fromarray(np.ascontiguousarray(grey)).convert("RGB")


def resized(image: Image.Image, scale: float) -> Image.Image:
    """Return an image scaled by a factor: pixels are repeated when enlarging and averaged when reducing."""
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    if size == image.size:
        return image
    return image.resize(size, Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BOX)


def fitted(image: Image.Image, width: int, height: int) -> Image.Image:
    """Return an image scaled to fit into `width` x `height` pixels, enlarged by whole factors only."""
    scale = min(width / image.width, height / image.height)
    return resized(image, float(int(scale)) if scale >= 1 else scale)


def colour_of(confidence: float) -> str:
    """Return the colour for a confidence of 0..1."""
    return SURE if confidence >= DOUBT else DOUBTFUL


def draw_on(image: Image.Image) -> ImageDraw.ImageDraw:
    """Return a drawing context for an RGB image."""
    return ImageDraw.Draw(image, "RGB")
