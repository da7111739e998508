"""Decode a picture to upright uint8 pixels, grey or RGB, from any mode and depth that Pillow opens.

The size is checked from the header, before any pixel is decoded. Large JPEGs are decoded at a reduced scale.
"""

import io
import os
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from edgedigits_runtime.errors import (
    ArrayError,
    MissingExtra,
    PictureError,
    PictureNotFound,
    PictureTooLarge,
    PictureUnreadable,
    first_line,
)
from edgedigits_runtime.reading.formats import format_of, open_image
from edgedigits_runtime.reading.headers import MOST_FRAMES, Refused, frames_in
from edgedigits_runtime.reading.pixels import reduced, to_pixels

PictureSource = str | os.PathLike[str] | bytes | BinaryIO | Image.Image | NDArray[np.uint8]

MAX_PIXELS = 64_000_000
MAX_SIDE = 65_535  # A picture of one row with many pixels would take as much work as a page.
# Longest file, in bytes for each decodable pixel, plus bytes for metadata.
BYTES_A_PIXEL = 8
BYTES_BESIDE = 16_000_000
SMALL = 1 << 16  # Bytes read at first: a buffer for the longest file costs as much as decoding a small one.
# The reader works on at most this many pixels. A full page stays readable; 12 megapixels are halved to 3.
WORKING_PIXELS = 4_500_000
ARRAY_SHAPES = "uint8 [H, W], [H, W, 1], [H, W, 3] or [H, W, 4]"

# Raised by Pillow's decoders on damaged files; Warning is among them because users may turn warnings into errors.
DAMAGED: tuple[type[Exception], ...] = (OSError, EOFError, SyntaxError, ValueError, TypeError, LookupError, Warning)
DAMAGED += (AttributeError, ArithmeticError, RuntimeError, AssertionError, BufferError, struct.error, zlib.error)

# First bytes of known formats that are not supported, and a command that converts them.
KNOWN_BY = {
    "PDF": (rb"%PDF", "pdftoppm -png FILE page"),
    "AVIF": (rb"....ftypavi[fs]", "avifdec FILE picture.png"),
    "JPEG XL": (rb"\xff\x0a|\0\0\0\x0cJXL ", ""),
    "EPS": (rb"%!PS|\xc5\xd0\xd3\xc6", "gs -sDEVICE=png16m -r300 -o picture.png FILE"),
    "WMF or EMF": (rb"\xd7\xcd\xc6\x9a|\x01\0\0\0.{36} EMF", ""),
    "PSD": (rb"8BPS", ""),
    "SVG": (rb".*<svg", "rsvg-convert FILE -o picture.png"),
}

PLAIN_MODES = ("L", "RGB")  # Modes whose pixels may be averaged.

JPEG = ("JPEG", "MPO")  # MPO is a JPEG with previews.
ORIENTATION = 0x0112  # EXIF tag.

# The transpose that undoes each EXIF orientation, and the orientations that swap width and height.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
TURNED = (5, 6, 7, 8)


class Picture(NamedTuple):
    """A decoded picture.

    Attributes:
        pixels: uint8 [h, w, channels].
        scale: source pixels per pixel along each side: 1, 2, 4 and so on.
        size: the source's width and height, upright.
        note: a note for the user about ignored content, such as an animation's other frames; mostly empty.
    """

    pixels: NDArray[np.uint8]
    scale: int
    size: tuple[int, int]
    note: str = ""

    def in_source(self, box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        """Convert a box of these pixels (x, y, width, height) to source pixels."""
        x, y, width, height = (self.scale * value for value in box)
        return x, y, min(width, self.size[0] - x), min(height, self.size[1] - y)


def decode(source: PictureSource, *, channels: int, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Return all of a picture's pixels, uint8 [H, W, channels]; see decode_picture."""
    return decode_picture(source, channels=channels, max_pixels=max_pixels, working_pixels=max_pixels).pixels


def decode_picture(
    source: PictureSource, *, channels: int | None, max_pixels: int = MAX_PIXELS, working_pixels: int = WORKING_PIXELS
) -> Picture:
    """Return a picture upright, with transparency composited over a plain ground, and reduced if it is large.

    Args:
        source: a file's path, its bytes, a binary file object, a Pillow image, or an array of uint8 [H, W], [H, W, 1],
            [H, W, 3] (RGB) or [H, W, 4] (RGBA). The first frame of an animation is taken.
        channels: 1 for grey, 3 for RGB, None for 1 where the picture is stored in grey and 3 otherwise.
        max_pixels: pictures with more are refused.
        working_pixels: a larger picture is halved until it has at most this many.

    Raises:
        PictureNotFound: no such file, or a folder.
        PictureUnreadable: not a picture, truncated, without pixels, or of an unsupported format.
        PictureTooLarge: over `max_pixels`.
        ArrayError: an array of another shape or dtype.
    """
    if channels not in (1, 3, None):
        raise ArrayError(f"expected 1 or 3 channels; got {channels}")
    name = name_of(source)
    if isinstance(source, np.ndarray):
        _check_size(name, source.shape[1::-1], max_pixels)
        return _picture(_image_of_array(source), channels, working_pixels, source.shape[1::-1])
    try:
        with _opened(source, name, max_pixels) as (image, frames):
            _check_size(name, image.size, max_pixels)
            size = image.size
            count = f"more than {MOST_FRAMES:,}" if frames > MOST_FRAMES else f"{frames}"
            note = f"the first of {count} frames" if frames > 1 else ""
            if not isinstance(source, Image.Image):
                _draft(image, channels, _scale(size, working_pixels))
            image.load()
            # The header of an icon may declare less than its content.
            _check_size(name, image.size, max_pixels)
            return _picture(image, channels, working_pixels, max(size, image.size), note)
    except Refused as error:
        raise PictureTooLarge(f"{name} would take too long to decode: {error}") from error
    except (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureTooLarge(
            f"{name} is too large to decode; the limit is {max_pixels:,} pixels; make it smaller"
        ) from error
    except DAMAGED as error:
        raise PictureUnreadable(f"{name} is damaged or truncated: {first_line(error)}") from error


def name_of(source: PictureSource) -> str:
    """Return the name of a picture for messages and readings."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    if isinstance(source, bytes):
        return "<bytes>"
    if isinstance(source, np.ndarray):
        return "<array>"
    name = getattr(source, "filename", None) or getattr(source, "name", None)
    return name if isinstance(name, str) else "<image>" if isinstance(source, Image.Image) else "<stream>"


@contextmanager
def _opened(
    source: str | os.PathLike[str] | bytes | BinaryIO | Image.Image, name: str, max_pixels: int
) -> Iterator[tuple[Image.Image, int]]:
    """Yield the image with its header read but no pixel decoded, and the number of frames."""
    if isinstance(source, Image.Image):
        yield source, _frames_of(source)
        return
    content = _content(source, name, BYTES_A_PIXEL * max_pixels + BYTES_BESIDE)
    try:
        image = open_image(content, max_pixels)
    except UnidentifiedImageError as error:
        raise _unidentified(content, name) from error
    with image:
        kind = format_of(content)
        yield image, frames_in(kind, content) if kind in ("GIF", "TIFF") else _frames_of(image)


def _content(source: str | os.PathLike[str] | bytes | BinaryIO, name: str, most: int) -> bytes:
    if isinstance(source, str | os.PathLike):
        with _open_file(source) as file:
            content = _read(file, SMALL)
            if len(content) == SMALL:
                content += _read(file, most + 1 - SMALL)
    elif isinstance(source, bytes):
        content = source
    elif hasattr(source, "read"):
        content = _read(source, most + 1)
    else:
        raise PictureUnreadable(
            "expected a path, bytes, a binary file object, a Pillow image or a NumPy array;"
            f" got {type(source).__name__}"
        )
    if not isinstance(content, bytes):
        raise PictureUnreadable(f"{name} returns {type(content).__name__}; open it in binary mode")
    if len(content) > most:
        raise PictureTooLarge(f"{name} is longer than {most:,} bytes, the limit; make it smaller or raise max_pixels")
    return content


def _read(file: BinaryIO | io.FileIO, most: int) -> bytes:
    content = file.read(most)
    # One read of a pipe returns only the bytes that are there.
    while isinstance(content, bytes) and len(content) < most and (more := file.read(most - len(content))):
        content += more
    return content


def _open_file(path: str | os.PathLike[str]) -> io.FileIO:
    try:
        # Path.open costs as much as decoding a small picture.
        return open(path, "rb", buffering=0)  # noqa: PTH123
    except FileNotFoundError as error:
        raise PictureNotFound(f"no picture at {path}") from error
    # Windows raises PermissionError for folders too.
    except (IsADirectoryError, PermissionError) as error:
        if Path(path).is_dir():
            raise PictureNotFound(f"expected a picture at {path}; it is a folder") from error
        raise PictureUnreadable(f"{path} may not be read: permission denied") from error
    except (OSError, ValueError) as error:
        raise PictureNotFound(f"no picture at {path}: {first_line(error)}") from error


def _unidentified(content: bytes, name: str) -> PictureError:
    """Return the error for a file of no supported format."""
    if not content:
        return PictureUnreadable(f"{name} is empty; expected a picture")
    if format_of(content) == "HEIF":
        missing = "HEIF" not in Image.OPEN
        problem = (
            str(MissingExtra(f"{name}, a HEIC picture,", "heif")) if missing else f"{name} is a damaged HEIC picture"
        )
        return PictureUnreadable(problem)
    for kind, (signature, converter) in KNOWN_BY.items():
        if re.match(signature, content[:1024], re.DOTALL | re.IGNORECASE):
            how = f"with: {converter}" if converter else "in a drawing program"
            return PictureUnreadable(f"{name} is a {kind} file, which is not supported; convert it to PNG {how}")
    return PictureUnreadable(f"{name} is not a picture; expected PNG, JPEG, WebP, TIFF, BMP or GIF")


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
    if max(width, height) > MAX_SIDE:
        raise PictureTooLarge(f"{name} has {width}x{height} pixels, more than {MAX_SIDE:,} along a side; split it")


def _image_of_array(array: NDArray[np.uint8]) -> Image.Image:
    if array.dtype != np.uint8 or array.shape[2:] not in ((), (1,), (3,), (4,)):
        raise ArrayError(f"expected {ARRAY_SHAPES}; got {array.dtype} {list(array.shape)}")
    return Image.fromarray(array[..., 0] if array.shape[2:] == (1,) else array)


def _scale(size: tuple[int, ...], working_pixels: int) -> int:
    """Return the power of two by which a picture is reduced to its working size."""
    scale = 1
    while -(-size[0] // scale) * -(-size[1] // scale) > working_pixels:
        scale *= 2
    return scale


def _draft(image: Image.Image, channels: int | None, scale: int) -> None:
    """Let the JPEG decoder work at 1/2, 1/4 or 1/8 of the size."""
    if image.format in JPEG and scale > 1:
        grey = channels == 1 and image.mode in ("L", "RGB")
        image.draft("L" if grey else image.mode, (max(image.width // scale, 1), max(image.height // scale, 1)))


def _picture(
    image: Image.Image, channels: int | None, working_pixels: int, size: tuple[int, ...], note: str = ""
) -> Picture:
    """Turn a decoded image upright, convert it and reduce it; `size` is that of the source."""
    # A PNG without metadata is not asked for it, which would cost a fifth of decoding a small one.
    orientation = 1 if image.format == "PNG" and not image.info else image.getexif().get(ORIENTATION, 1)
    scale = _scale(size, working_pixels)
    left = scale // round(max(size) / max(image.size))
    if left > 1 and image.mode in PLAIN_MODES and not image.has_transparency_data:
        # First, because the rest then has less work; pixels of other modes cannot be averaged.
        image = _with_info(image.reduce(left), image)
    elif left > 1:
        image = reduced(image, left, channels)
    turn = UPRIGHT.get(orientation)
    pixels = to_pixels(image if turn is None else _with_info(image.transpose(turn), image), channels)
    width, height = size
    return Picture(pixels, scale, (height, width) if orientation in TURNED else (width, height), note)


def _with_info(changed: Image.Image, image: Image.Image) -> Image.Image:
    """Copy the profile and the transparent colour to a turned or reduced image."""
    changed.info = image.info
    return changed


def _frames_of(image: Image.Image) -> int:
    # A camera's JPEG may contain previews, which are not frames.
    return 1 if image.format in JPEG else getattr(image, "n_frames", 1)
