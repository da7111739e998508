"""Decode: from whatever holds a picture to upright uint8 pixels on a white ground.

Every mode and depth that Pillow opens comes out as one grey channel or three colour channels. The size is
checked from the header, before a single pixel is decoded.
"""

import io
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from edgedigits_runtime.errors import (
    ArrayError,
    PictureError,
    PictureNotFound,
    PictureTooLarge,
    PictureUnreadable,
)

Picture = NDArray[np.uint8]
PictureSource = str | Path | bytes | BinaryIO | Image.Image | NDArray[np.uint8]

MAX_PIXELS = 64_000_000

ARRAY_SHAPES = "uint8 [H, W], [H, W, 1], [H, W, 3] or [H, W, 4]"

# What Pillow's decoders raise on damaged files; a warning is among them where the user made warnings errors.
DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    NotImplementedError,
    EOFError,
    struct.error,
    zlib.error,
    Warning,
)

# Formats that Pillow names but draws with a program from outside, if at all.
NOT_PIXELS = {"EPS": "EPS", "WMF": "WMF or EMF"}

ICON = b"\0\0\1\0"

_bomb_limit = threading.Lock()


def decode(source: PictureSource, *, channels: int, max_pixels: int = MAX_PIXELS) -> Picture:
    """Return a picture's pixels, uint8 [H, W, channels], upright and with transparency laid over white.

    Args:
        source: a file's path, its bytes, a binary file object, a Pillow image, or an array of uint8 [H, W],
            [H, W, 1], [H, W, 3] (RGB) or [H, W, 4] (RGBA). Of an animation the first frame is taken.
        channels: 1 for grey, 3 for RGB.
        max_pixels: the most pixels that are decoded.

    Raises:
        PictureNotFound: no such file, or a folder.
        PictureUnreadable: not a picture, a truncated one, one without pixels, or an unsupported format.
        PictureTooLarge: over `max_pixels`.
        ArrayError: an array of another shape or dtype.
    """
    if channels not in (1, 3):
        raise ArrayError(f"expected 1 or 3 channels; got {channels}")
    name = name_of(source)
    if isinstance(source, np.ndarray):
        _check_size(name, source.shape[1::-1], max_pixels)
        return _to_pixels(_image_of_array(source), channels)
    try:
        with _opened(source, name) as image:
            _check_size(name, image.size, max_pixels)
            if image.format in NOT_PIXELS:
                raise _unsupported(name, NOT_PIXELS[image.format])
            image.load()
            # The header of an icon tells less than what it holds.
            _check_size(name, image.size, max_pixels)
            return _to_pixels(ImageOps.exif_transpose(image), channels)
    except (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureTooLarge(
            f"{name} is too large to decode; the limit is {max_pixels:,} pixels; make it smaller"
        ) from error
    except DAMAGED as error:
        raise PictureUnreadable(f"{name} is damaged or truncated: {_first_line(error)}") from error


def name_of(source: PictureSource) -> str:
    """Return what a picture is called in messages and readings."""
    if isinstance(source, str | Path):
        return str(source)
    if isinstance(source, bytes):
        return "<bytes>"
    if isinstance(source, np.ndarray):
        return "<array>"
    name = getattr(source, "filename", None) or getattr(source, "name", None)
    return name if isinstance(name, str) else "<image>" if isinstance(source, Image.Image) else "<stream>"


@contextmanager
def _opened(source: str | Path | bytes | BinaryIO | Image.Image, name: str) -> Iterator[Image.Image]:
    """Yield the image with its header read and its pixels not yet decoded."""
    if isinstance(source, Image.Image):
        yield source
    elif isinstance(source, str | Path):
        with _open_file(Path(source)) as file, _identified(file, name) as image:
            yield image
    elif isinstance(source, bytes) or hasattr(source, "read"):
        content = source if isinstance(source, bytes) else source.read()
        if not isinstance(content, bytes):
            raise PictureUnreadable(f"{name} gives {type(content).__name__}; open it in binary mode")
        with _identified(io.BytesIO(content), name) as image:
            yield image
    else:
        raise PictureUnreadable(
            "expected a path, bytes, a binary file object, a Pillow image or a NumPy array;"
            f" got {type(source).__name__}"
        )


def _open_file(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise PictureNotFound(f"no picture at {path}") from error
    except IsADirectoryError as error:
        raise PictureNotFound(f"expected a picture at {path}; it is a folder") from error
    except PermissionError as error:
        # Windows answers so for a folder as well.
        if path.is_dir():
            raise PictureNotFound(f"expected a picture at {path}; it is a folder") from error
        raise PictureUnreadable(f"{path} may not be read: permission denied") from error
    except (OSError, ValueError) as error:
        raise PictureNotFound(f"no picture at {path}: {_first_line(error)}") from error


def _identified(file: BinaryIO, name: str) -> Image.Image:
    icon = file.read(4) == ICON
    file.seek(0)
    try:
        return _open_icon(file) if icon else _open_unlimited(file)
    except UnidentifiedImageError as error:
        raise _unidentified(file, name) from error


def _open_unlimited(file: BinaryIO) -> Image.Image:
    """Read the header without Pillow's own limit, which speaks its own words; ours is checked right after."""
    with _bomb_limit:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(file)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _open_icon(file: BinaryIO) -> Image.Image:
    """Open what Pillow decodes at once, whatever size it hides; there Pillow's own limit has to hold."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return Image.open(file)


def _unidentified(file: BinaryIO, name: str) -> PictureError:
    """Say what a file is that Pillow does not know."""
    file.seek(0)
    head = file.read(1024)
    if not head:
        return PictureUnreadable(f"{name} is empty; expected a picture")
    if head.startswith(b"%PDF"):
        return _unsupported(name, "PDF")
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"):
        return _unsupported(name, "HEIC")
    if b"<svg" in head.lower():
        return _unsupported(name, "SVG")
    return PictureUnreadable(f"{name} is not a picture; expected PNG, JPEG, WebP, TIFF, BMP or GIF")


def _unsupported(name: str, kind: str) -> PictureUnreadable:
    how = {
        "PDF": "pdftoppm -png FILE page",
        "HEIC": "heif-convert FILE picture.png",
        "SVG": "rsvg-convert FILE -o picture.png",
        "EPS": "gs -sDEVICE=png16m -r300 -o picture.png FILE",
    }.get(kind)
    convert = f"with: {how}" if how else "in a drawing program"
    return PictureUnreadable(f"{name} is a {kind} file, which is not supported; convert it to PNG {convert}")


def _check_size(name: str, size: tuple[int, ...], max_pixels: int) -> None:
    if len(size) != 2:
        raise ArrayError(f"expected {ARRAY_SHAPES}; got {len(size)} dimensions")
    width, height = size
    if width < 1 or height < 1:
        raise PictureUnreadable(f"{name} has no pixels: {width}x{height}")
    if width * height > max_pixels:
        raise PictureTooLarge(
            f"{name} has {width}x{height} pixels, more than the limit of {max_pixels:,};"
            " make it smaller or raise max_pixels"
        )


def _image_of_array(array: NDArray[np.uint8]) -> Image.Image:
    if array.dtype != np.uint8 or array.shape[2:] not in ((), (1,), (3,), (4,)):
        raise ArrayError(f"expected {ARRAY_SHAPES}; got {array.dtype} {list(array.shape)}")
    return Image.fromarray(array[..., 0] if array.shape[2:] == (1,) else array)


def _to_pixels(image: Image.Image, channels: int) -> Picture:
    """Return uint8 [H, W, channels] of an image of any mode."""
    mode = "L" if channels == 1 else "RGB"
    if image.mode.startswith(("I", "F")):
        image = Image.fromarray(_eight_bits(np.asarray(image), floating=image.mode.startswith("F")))
    elif image.mode == "La" or image.has_transparency_data:
        image = _over_white(image)
    elif image.mode == "LAB":
        image = image.getchannel("L") if channels == 1 else _lab_to_rgb(image)
    elif image.mode in ("P", "HSV"):
        image = image.convert("RGB")
    pixels = np.asarray(image.convert(mode))
    return pixels.reshape(image.height, image.width, channels)


def _over_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGBA", image.size, "white")
    # Pillow converts La, premultiplied grey, to nothing but LA.
    straight = image.convert("LA") if image.mode == "La" else image
    return Image.alpha_composite(white, straight.convert("RGBA"))


def _lab_to_rgb(image: Image.Image) -> Image.Image:
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(lab, srgb, "LAB", "RGB")
    rgb = ImageCms.applyTransform(image, transform)
    if rgb is None:
        raise ValueError("LAB could not be converted to RGB")
    return rgb


def _eight_bits(values: NDArray[Any], *, floating: bool) -> Picture:
    """Scale integers of 16 or 32 bits, or floats, to 0..255.

    The range is that of the kind of data, so that a dark picture stays dark: 0..65535 for integers (Pillow
    hands out 16-bit files as mode I too), and 0..1, 0..255 or 0..65535 for floats, the smallest that holds
    them. Only values outside are scaled by the picture's own range. What is no number becomes the lowest.
    """
    real = values.astype(np.float64)
    finite = np.isfinite(real)
    if not finite.any():
        return np.zeros(values.shape, np.uint8)
    low, high = float(real[finite].min()), float(real[finite].max())
    real[~finite] = low
    ranges = (1.0, 255.0, 65535.0) if floating else (65535.0,)
    full = next((full for full in ranges if low >= 0 and high <= full), None)
    if full is None:
        real, full = real - low, high - low
    return np.rint(real * (255 / full)).astype(np.uint8)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
