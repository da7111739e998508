"""Convert an image of any mode, depth, profile and transparency to uint8 grey or RGB."""

import io
import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

# A profile that changes no grey by more levels is ignored: Display P3 and Adobe RGB change the saturation of a pen but
# not its ink.
MOST_SHIFT = 16

Ends = tuple[float, float, float]

GREY = ("L", "1")  # Modes of one tone.
STRIP_PIXELS = 500_000  # Large pictures are converted in strips of this many pixels.
OWN_CONTRAST = 64  # A drawing that brings its own ground has two levels that differ by more than this.
LEAST_SHARE = 0.01  # Least share of a level in the visible part, or in its outline.


def to_pixels(image: Image.Image, channels: int | None) -> NDArray[np.uint8]:
    """Return uint8 [H, W, channels] of a loaded image of any mode.

    Args:
        image: its colour profile is applied.
        channels: 1 for grey, 3 for RGB, None for 1 where the image is stored in grey and 3 otherwise.
    """
    if image.mode.startswith(("I", "F")):
        image = _of_numbers(image, _range_of(image))
    image = _in_srgb(image)
    if image.mode == "La" or image.has_transparency_data:
        image = _over_ground(image)
    elif image.mode == "LAB":
        image = image.getchannel("L") if channels == 1 else _lab_to_rgb(image)
    elif image.mode in ("P", "HSV"):
        image = image.convert("RGB")
    mode = "L" if channels == 1 or (channels is None and image.mode in GREY) else "RGB"
    pixels = np.asarray(image if image.mode == mode else image.convert(mode))
    return pixels[..., np.newaxis] if mode == "L" else pixels


def reduced(image: Image.Image, by: int, channels: int | None) -> Image.Image:
    """Reduce an image of any mode by a factor, to L, LA, RGB or RGBA, in strips to save memory."""
    numbers = _range_of(image) if image.mode.startswith(("I", "F")) else (0.0, 0.0, 0.0)
    whole: Image.Image | None = None
    rows = max(1, STRIP_PIXELS // (image.width * by)) * by
    for top in range(0, image.height, rows):
        part = image.crop((0, top, image.width, min(top + rows, image.height)))
        part.info = image.info
        strip = _plain(part, numbers, channels).reduce(by)
        whole = whole or Image.new(strip.mode, (strip.width, -(-image.height // by)))
        whole.paste(strip, (0, top // by))
    return image if whole is None else whole


def _plain(image: Image.Image, numbers: Ends, channels: int | None) -> Image.Image:
    """Return an image of any mode as L, LA, RGB or RGBA, whose pixels may be averaged; `numbers`: see _of_numbers."""
    if image.mode.startswith(("I", "F")):
        return _of_numbers(image, numbers)
    image = _in_srgb(image)
    if image.mode == "La":
        return image.convert("LA")
    if image.has_transparency_data:
        return image if image.mode == "LA" else image.convert("RGBA")
    if image.mode == "LAB":
        return image.getchannel("L") if channels == 1 else _lab_to_rgb(image)
    return image.convert("L" if image.mode in GREY else "RGB")


def _over_ground(image: Image.Image) -> Image.Image:
    """Composite the image over the ground it was made for: white, black, or its own."""
    # Pillow converts La, premultiplied grey, only to LA.
    straight = image.convert("LA") if image.mode == "La" else image
    layers = straight.convert("RGBA")
    alpha = layers.getchannel("A")
    levels = np.flatnonzero(alpha.histogram())
    if levels[0] == 255:
        return layers.convert("RGB")
    visible = alpha.point([255 * (2 * level >= levels[-1] > 0) for level in range(256)])
    ground = _ground_of(layers.convert("L"), visible)
    return Image.alpha_composite(Image.new("RGBA", image.size, (ground, ground, ground, 255)), layers)


def _ground_of(grey: Image.Image, visible: Image.Image) -> int:
    """Return the level of the ground under the visible part.

    A drawing of one tone is all ink: light ink goes over black, any other over white. A drawing of several tones, such
    as a tile with a digit, brings its ground along: the tone of its outline.
    """
    tones = np.array(grey.histogram(visible), np.int64)
    count = int(tones.sum())
    if not count:
        return 255
    rim = ImageChops.subtract(visible, visible.filter(ImageFilter.MinFilter(3)))
    outline = np.array(grey.histogram(rim if rim.getbbox() else visible), np.int64)
    level = int(np.searchsorted(np.cumsum(outline), outline.sum() / 2))
    others = np.abs(np.arange(256) - level) > OWN_CONTRAST
    if tones[others].sum() >= LEAST_SHARE * count and outline[~others].sum() >= 0.9 * outline.sum():
        return level
    return 0 if level >= 128 else 255


def _in_srgb(image: Image.Image) -> Image.Image:
    """Apply the embedded profile if it changes light and dark."""
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or image.mode not in ("L", "RGB", "CMYK"):
        return image
    transform = _transform(profile, image.mode)
    if transform is None:
        return image
    from PIL import ImageCms

    converted = ImageCms.applyTransform(image, transform)
    return image if converted is None else converted


@lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> Any:
    """Return the transform from a profile to sRGB; None if it does not change greys or cannot be used."""
    try:
        from PIL import ImageCms
    except ImportError:
        return None
    try:
        srgb = ImageCms.createProfile("sRGB")
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(source, srgb, mode, "RGB")
    except (ImageCms.PyCMSError, OSError):
        # A damaged profile, or one for another kind of pixels, is ignored.
        return None
    if mode == "CMYK":
        return transform
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[np.newaxis]).convert(mode)
    converted = np.asarray(ImageCms.applyTransform(ramp, transform)).astype(np.int16)
    return transform if np.abs(converted - np.asarray(ramp.convert("RGB"))).max() > MOST_SHIFT else None


def _lab_to_rgb(image: Image.Image) -> Image.Image:
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(lab, srgb, "LAB", "RGB")
    rgb = ImageCms.applyTransform(image, transform)
    if rgb is None:
        raise ValueError("LAB could not be converted to RGB")
    return rgb


def _range_of(image: Image.Image) -> Ends:
    """Return the values that become 0 and 255, and the lowest value, of 16 or 32-bit integers or floats.

    The range depends on the dtype, so that a dark picture stays dark: 0..65535 for integers (Pillow opens 16-bit files
    in mode I too), and for floats the smallest of 0..1, 0..255 and 0..65535 that holds them. Values outside are scaled
    by the picture's own range.
    """
    low, high = math.inf, -math.inf
    for values in _strips(image):
        finite = values[np.isfinite(values)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    if low > high:
        return 0.0, 1.0, 0.0
    ranges = (1.0, 255.0, 65535.0) if image.mode.startswith("F") else (65535.0,)
    full = next((full for full in ranges if low >= 0 and high <= full), None)
    return (low, high, low) if full is None else (0.0, full, low)


def _of_numbers(image: Image.Image, ends: Ends) -> Image.Image:
    """Return an image of integers or floats as L, with `ends` at 0 and 255; NaN and infinity become the lowest."""
    low, high, lowest = ends
    # A picture of one level has no range.
    factor = 255 / ((high - low) or 1.0)
    grey = np.empty((image.height, image.width), np.uint8)
    top = 0
    for values in _strips(image):
        real = np.where(np.isfinite(values), values.astype(np.float64), lowest)
        grey[top : top + len(values)] = np.rint((real - low) * factor)
        top += len(values)
    return Image.fromarray(grey)


def _strips(image: Image.Image) -> Iterator[NDArray[Any]]:
    """Yield the values some rows at a time, because they take eight bytes each as 64-bit floats."""
    rows = max(1, STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        yield np.asarray(image.crop((0, top, image.width, min(top + rows, image.height))))
