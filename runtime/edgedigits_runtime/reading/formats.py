"""Open a file with the decoder that its first bytes ask for; only the decoders listed here ever run.

Pillow has some forty decoders; untrusted files reach twelve, and that of HEIF if its extra is installed. The content
decides, not the file name, so no other decoder is tried or imported.
"""

import io
import math
import re
import struct
import threading
from importlib import import_module
from typing import Any, cast

import numpy as np
from PIL import Image, UnidentifiedImageError

from edgedigits_runtime.reading.headers import Refused, check_header

ALLOWED = {
    "PNG": "PngImagePlugin",
    "JPEG": "JpegImagePlugin",
    "WEBP": "WebPImagePlugin",
    "AVIF": "AvifImagePlugin",
    "GIF": "GifImagePlugin",
    "TIFF": "TiffImagePlugin",
    "BMP": "BmpImagePlugin",
    "DIB": "BmpImagePlugin",
    "ICO": "IcoImagePlugin",
    "JPEG2000": "Jpeg2KImagePlugin",
    "PPM": "PpmImagePlugin",
    "TGA": "TgaImagePlugin",
    "HEIF": "",
}
"""Pillow's name of each format, and the module with its decoder; that of HEIF is the [heif] extra."""

# First bytes of each format. TGA has no signature, so valid values of its first fields are matched, see Pillow's
# plugin.
SIGNATURES = (
    ("PNG", rb"\x89PNG\r\n\x1a\n"),
    ("JPEG", rb"\xff\xd8\xff"),
    ("GIF", rb"GIF8[79]a"),
    ("WEBP", rb"RIFF....WEBP"),
    ("TIFF", rb"II[*+]\0|MM\0[*+]|II\0[*]|MM[*]\0"),
    ("BMP", rb"BM"),
    ("ICO", rb"\0\0\x01\0"),
    ("JPEG2000", rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  \r\n\x87\n"),
    # An iPhone's photo; one of the general brand states the coding among the compatible ones.
    ("HEIF", rb"....ftyp(?:hei[cmsx]|hev[cmx]|m[is]f1.{4}(?:.{4}){0,15}?hei[cx])"),
    ("AVIF", rb"....ftyp(?:avif|avis|mif1|msf1)"),
    ("PPM", rb"P[1-6f]"),
    ("DIB", rb"[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0"),
    ("TGA", rb".[\0\x01][\x01\x02\x03\x09\x0a\x0b].{13}[\x01\x08\x10\x18\x20]"),
)
_SIGNATURE = re.compile(b"|".join(b"(?P<%s>%s)" % (name.encode(), mark) for name, mark in SIGNATURES), re.DOTALL)

# Most reads of a decoder that reads a few bytes at a time: READS, plus one for each BYTES_A_READ of the file.
READS = 200_000
BYTES_A_READ = 250

# Codings that Pillow decodes in Python, in about a microsecond a pixel; "ppm" is decoded here instead.
IN_PYTHON = ("bmp_rle", "ppm_plain", "ppm")
SLOW_PIXELS = 1_000_000

_bomb_limit = threading.Lock()


class Rationed(io.BytesIO):
    """A file in memory that limits the number of reads."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._left = READS + len(content) // BYTES_A_READ

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes; raise Refused after too many reads."""
        self._left -= 1
        if self._left < 0:
            raise Refused("it is made of too many small pieces")
        return super().read(size)


def format_of(content: bytes) -> str | None:
    """Return Pillow's name of the format that the first bytes belong to; None for a format that is not allowed."""
    mark = _SIGNATURE.match(content)
    return mark.lastgroup if mark else None


def open_image(content: bytes, max_pixels: int) -> Image.Image:
    """Return the image with its header read and no pixel decoded.

    Raises:
        UnidentifiedImageError: the format is not allowed, or this Pillow was built without it.
        Refused: decoding would need more work or memory than any picture should.
    """
    kind = format_of(content)
    if kind is None:
        raise UnidentifiedImageError("the first bytes are of no format that is allowed")
    content = check_header(kind, content, max_pixels)
    if kind == "ICO" and format_of(content) == "PNG":
        kind = "PNG"
        check_header(kind, content, max_pixels)
    if kind not in Image.OPEN:
        try:
            if kind == "HEIF":
                from pillow_heif import register_heif_opener

                register_heif_opener(thumbnails=False)
            else:
                import_module(f"PIL.{ALLOWED[kind]}")
        except ImportError as error:
            raise UnidentifiedImageError(f"Pillow has no decoder of {kind}") from error
    image = _opened(content, kind)
    codings = {tile[0] for tile in getattr(image, "tile", [])}
    if codings.isdisjoint(IN_PYTHON):
        return image
    if image.width * image.height > SLOW_PIXELS and "ppm" not in codings:
        raise Refused(f"its coding is decoded slowly, so that {SLOW_PIXELS:,} pixels are the limit; save it as PNG")
    return _with_maximum(image, content, max_pixels) if "ppm" in codings else image


def _with_maximum(image: Any, content: bytes, max_pixels: int) -> Image.Image:
    """Return a PGM or PPM whose white is not 255; Pillow's own decoder takes a second for a million pixels."""
    if image.width * image.height > max_pixels:
        return cast(Image.Image, image)
    _, _, offset, (_, maximum) = image.tile[0]
    bands = 3 if image.mode == "RGB" else 1
    shape = (image.height, image.width, bands)
    values = np.frombuffer(content, np.uint8 if maximum < 256 else ">u2", math.prod(shape), offset)
    levels = np.minimum(np.rint(np.arange(65_536) * (255 / maximum)), 255).astype(np.uint8)
    pixels = levels[values].reshape(shape)
    return Image.fromarray(pixels if bands == 3 else pixels[..., 0])


def _opened(content: bytes, kind: str) -> Image.Image:
    # A short file cannot be read in more pieces.
    file = Rationed(content) if len(content) > READS else io.BytesIO(content)
    if kind in ("PNG", "JPEG"):
        # Without Image.open, which imports five decoders and tries their signatures.
        try:
            return cast(Image.Image, Image.OPEN[kind][0](file, ""))
        except (SyntaxError, IndexError, TypeError, struct.error) as error:
            raise UnidentifiedImageError(f"damaged header: {error}") from error
    if kind == "ICO":
        # Pillow decodes icons at once, so its own limit must hold.
        return Image.open(file, formats=(kind,))
    # Pillow's limit is off because its message differs; ours is checked right after.
    with _bomb_limit:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(file, formats=(kind,))
        finally:
            Image.MAX_IMAGE_PIXELS = limit
