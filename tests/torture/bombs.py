"""Decompression bombs and costly pictures: small files with large contents, and pictures that are slow to read.

The project builds each of them in memory. The reader limits their cost: it refuses headers before it decodes, and
limits how much of a picture it examines.
"""

import struct
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.support.picture_files import PNG, Tag, bmp_rle, encoded, png, png_chunk, tiff

# The reader's limit is 8000 x 8000 pixels.
SIDE = 8000
# A server's limit of a request body, in bytes.
BODY = 16_000_000

PNG_KINDS = {
    "": (8, 0), " in RGB": (8, 2), " in RGBA": (8, 6), " in RGBA of 16 bits": (16, 6), " in 16 bits": (16, 0),
    " in 1 bit": (1, 0), " with a transparent palette": (8, 3), " in grey with alpha": (8, 4),
}  # fmt: skip
"""Bits per sample and colour type."""

Bombs = dict[str, Callable[[], bytes]]


def file_bombs() -> Bombs:
    """Return a maker of each bomb against a decoder, by name; the files are at most BODY bytes long."""
    return {**_pngs(), **_jpegs(), **_tiffs(), **_gifs(), **_others()}


def _pngs() -> Bombs:
    def claiming(width: int, height: int) -> bytes:
        """Return a PNG of 784 pixels whose header claims another size."""
        return PNG + png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)) + png(28, 28)[33:]

    def repeating(kind: bytes, head: bytes, filler: bytes = b"a") -> bytes:
        """Return a PNG of many compressed chunks, a megabyte each."""
        chunk = png_chunk(kind, head + zlib.compress(filler * 1_000_000, 9))
        return png(28, 28, before=chunk * (BODY // len(chunk)))

    profiles = partial(repeating, b"iCCP", b"a\0\0", b"\0")
    return {
        **{f"png of 64 megapixels{kind}": partial(png, SIDE, SIDE, *header) for kind, header in PNG_KINDS.items()},
        "png of 64 megapixels, interlaced": lambda: png(SIDE, SIDE, 8, 2, interlaced=True),
        "png one pixel high": lambda: claiming(SIDE * SIDE, 1),
        "png one pixel wide": lambda: claiming(1, SIDE * SIDE),
        "png 64 pixels high": lambda: claiming(1_000_000, 64),
        "png as wide as allowed": lambda: png(65_535, 900, 8, 6),
        "png as high as allowed": lambda: png(900, 65_535, 8, 6),
        "png of more than the limit": lambda: claiming(100_000, 100_000),
        "png of 64 megapixels without any": lambda: claiming(SIDE, SIDE),
        "png with thousands of profiles": profiles,
        "png with thousands of zTXt": lambda: repeating(b"zTXt", b"a\0\0"),
        "png with thousands of iTXt": lambda: repeating(b"iTXt", b"a\0\1\0\0\0"),
        "png with a million chunks": lambda: png(28, 28, before=png_chunk(b"tEXt", b"a\0") * (BODY // 14)),
        "png with EXIF tags that share their bytes": lambda: png(28, 28, before=png_chunk(b"eXIf", _exif_tags())),
        "ico with a png of 64 megapixels": lambda: _icon(png(SIDE, SIDE, 8, 6)),
        "ico with a png of thousands of profiles": lambda: _icon(profiles()),
        "ico with 65,535 entries": lambda: struct.pack("<HHH", 0, 1, 65_535) + _icon_entry(100) * 65_535,
    }


def _icon_entry(length: int) -> bytes:
    return struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, length, 22)


def _icon(inner: bytes) -> bytes:
    return struct.pack("<HHH", 0, 1, 1) + _icon_entry(len(inner)) + inner


def _exif_tags() -> bytes:
    """Return EXIF data of many tags that share the bytes of their values."""
    entries = b"".join(struct.pack("<HHII", 0xC000 + k % 0x3000, 7, BODY // 2, 8) for k in range(20_000))
    directory = struct.pack("<H", 20_000) + entries + struct.pack("<I", 0)
    return b"II*\0" + struct.pack("<I", 8) + directory + b"\0" * (BODY // 2 - len(directory) - 8)


def _drawing() -> Image.Image:
    pixels = np.full((64, 64), 255, np.uint8)
    pixels[16:48, 28:36] = 0
    return Image.fromarray(pixels).convert("RGB")


def _jpegs() -> Bombs:
    white, content = Image.new("RGB", (SIDE, SIDE), "white"), encoded(_drawing(), "JPEG")

    def segment(marker: int, data: bytes) -> bytes:
        return struct.pack(">HH", marker, len(data) + 2) + data

    def exif(*pieces: bytes) -> bytes:
        return content[:2] + b"".join(segment(0xFFE1, b"Exif\0\0" + piece) for piece in pieces) + content[2:]

    def exif_tags() -> bytes:
        data = _exif_tags()
        return exif(*(data[place : place + 65_000] for place in range(0, len(data), 65_000)))

    return {
        "jpeg of 64 megapixels": lambda: encoded(white, "JPEG"),
        "jpeg of 64 megapixels, progressive": lambda: encoded(white, "JPEG", progressive=True, subsampling=0),
        "jpeg of 64 megapixels in CMYK": lambda: encoded(Image.new("CMYK", (SIDE, SIDE)), "JPEG"),
        "jpeg with thousands of scans": lambda: _jpeg_scans(2000, 2000, 5000),
        "jpeg with millions of markers": lambda: content[:2] + segment(0xFFFE, b"") * (BODY // 4) + content[2:],
        "jpeg with junk before its markers": lambda: content[:2] + b"\0" * BODY + content[2:],
        "jpeg with EXIF in thousands of pieces": lambda: exif(*[b"\0" * 40] * (BODY // 50)),
        "jpeg with EXIF tags that share their bytes": exif_tags,
    }


def _jpeg_scans(width: int, height: int, count: int) -> bytes:
    """Return a progressive JPEG that repeats one of its scans."""
    content = encoded(Image.new("L", (width, height), 255), "JPEG", progressive=True)
    starts, tables = (
        [place for place in range(len(content) - 1) if content[place : place + 2] == marker]
        for marker in (b"\xff\xda", b"\xff\xc4")
    )
    # From the tables of the second scan to those of the third: an AC scan.
    begin, end = (next(place for place in tables if place > starts[k]) for k in range(2))
    return content[:end] + content[begin:end] * count + content[end:]


def _tiff_base(width: int, height: int, compression: int = 1) -> list[Tag]:
    size = [(256, 4, 1, width), (257, 4, 1, height)]
    return [*size, (258, 3, 1, 8), (259, 3, 1, compression), (262, 3, 1, 1), (277, 3, 1, 1)]


def _tiff_blocks(width: int, height: int, count: int, tags: tuple[int, int], length: int, *more: Tag) -> bytes:
    """Return a TIFF of so many strips or tiles; `tags` are those of their offsets and lengths."""
    entries = [*_tiff_base(width, height), *more]
    at = 8 + 2 + 12 * (len(entries) + 2) + 4
    entries += [(tags[0], 4, count, at), (tags[1], 4, count, at + 4 * count)]
    return tiff(entries, struct.pack("<I", 8) * count + struct.pack("<I", length) * count)


def _tiffs() -> Bombs:
    small = [*_tiff_base(28, 28), (273, 4, 1, 8), (278, 4, 1, 28), (279, 4, 1, 784)]
    tags = [(0xC000 + k, 7, BODY // 2, 8) for k in range(5000)]
    strips, tiles, row, tile = (273, 279), (324, 325), (278, 4, 1, 1), [(322, 4, 1, 1), (323, 4, 1, 1)]
    large = [(322, 4, 1, 65_520), (323, 4, 1, 65_520), (324, 4, 1, 8), (325, 4, 1, 100)]
    white, floats = Image.new("RGB", (SIDE, SIDE), "white"), Image.new("F", (SIDE, SIDE), 0.5)

    def pages() -> bytes:
        """Return a TIFF of many pages without tags."""
        following = [1000 + 6 * (k + 1) for k in range(BODY // 4 // 6 - 1)] + [0]
        first = tiff(small, following=1000).ljust(1000, b"\0")
        return first + b"".join(struct.pack("<HI", 0, place) for place in following)

    return {
        "tiff of 64 megapixels": lambda: encoded(white, "TIFF", compression="tiff_lzw"),
        "tiff of 64 megapixels in floats": lambda: encoded(floats, "TIFF", compression="tiff_adobe_deflate"),
        "tiff with tags that share their bytes": lambda: tiff([*small, *tags], b"\0" * (BODY // 2)),
        "tiff with millions of strips": lambda: _tiff_blocks(28, 28, BODY // 8 - 100, strips, 28, row),
        "tiff of 64 megapixels in strips of one row": lambda: _tiff_blocks(1000, 64_000, 64_000, strips, 1000, row),
        "tiff with tiles of 1 x 1": lambda: _tiff_blocks(1400, 1400, 1400**2, tiles, 1, *tile),
        # LZW makes libtiff hold a whole tile.
        "tiff with a tile of gigabytes": lambda: tiff([*_tiff_base(1000, 1000, 5), *large], b"\0" * 200),
        "tiff with hundreds of thousands of pages": pages,
    }


def _gifs() -> Bombs:
    content, frame = encoded(Image.new("L", (8, 8), 255), "GIF"), b",\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0"
    place = content.index(b",")
    start, end, size = content[:place], content[place:], place + 5
    return {
        "gif of 64 megapixels": lambda: encoded(Image.new("RGB", (SIDE, SIDE), "white"), "GIF"),
        "gif with a million frames": lambda: content[:-1] + frame * (BODY // len(frame)) + b";",
        "gif with millions of comments": lambda: start + b"!\xfe\x01a\0" * (BODY // 5) + end,
        "gif whose frame is larger than its screen": lambda: content[:size] + b"\xff" * 4 + content[size + 4 :],
    }


def _others() -> Bombs:
    white = Image.new("RGB", (SIDE, SIDE), "white")
    tga = struct.pack("<BBBHHBHHHHBB", 0, 0, 10, 0, 0, 0, 0, 0, SIDE, SIDE, 32, 0)

    def jp2(components: int) -> bytes:
        """Return a JPEG 2000 file of 255 x 255 tiles of one pixel."""
        content = encoded(_drawing(), "JPEG2000", no_jp2=True)
        size = struct.pack(">HIIIIIIIIH", 0, 255, 255, 0, 0, 1, 1, 0, 0, components) + b"\x07\x01\x01" * components
        return content[:4] + struct.pack(">H", len(size) + 2) + size + content[content.index(b"\xff\x52") :]

    def webp() -> bytes:
        canvas = struct.pack("<I", 0x10) + struct.pack("<I", 16_382)[:3] * 2
        body = b"WEBPVP8X" + struct.pack("<I", 10) + canvas + encoded(_drawing(), "WEBP")[12:]
        return b"RIFF" + struct.pack("<I", len(body)) + body

    return {
        "bmp of run lengths, mostly ends of lines": lambda: bmp_rle(SIDE, SIDE, b"\x01\x01\0\0" * SIDE),
        "bmp of empty run lengths": lambda: bmp_rle(1000, 1000, b"\0\x02\0\0" * (BODY // 4 - 1000)),
        "ppm with another maximum": lambda: b"P5 4000 3990 254\n" + b"\x7f" * (BODY - 100_000),
        "ppm in plain numbers": lambda: b"P2 2800 2800 255\n" + b"9 " * (BODY // 2 - 100),
        "ppm that is all blanks": lambda: b"P5 " + b" " * BODY,
        "ppm that is all comment": lambda: b"P5 #" + b"a" * BODY,
        "tga of 64 megapixels": lambda: tga + b"\xfc\0\0\0\0" * (SIDE * SIDE // 125),
        "jpeg 2000 of 64 megapixels": lambda: encoded(Image.new("L", (SIDE, SIDE)), "JPEG2000"),
        "jpeg 2000 with tiles of 1 x 1": lambda: jp2(3),
        "jpeg 2000 with 16,000 components": lambda: jp2(16_000),
        "webp of 64 megapixels": lambda: encoded(white, "WEBP", method=0),
        "webp that claims a large canvas": webp,
        "avif of 64 megapixels": lambda: encoded(white, "AVIF", speed=10),
    }


def noise_files() -> Bombs:
    """Return a maker of two megapixels of noise, which no coding compresses, in each format, by name."""
    noise = np.random.default_rng(2).integers(0, 256, (1414, 1414, 3), np.uint8)
    rgb, grey = Image.fromarray(noise), Image.fromarray(noise[..., 0])
    alpha = Image.fromarray(np.dstack([noise, noise[..., :1]]))
    ways: dict[str, tuple[Image.Image, str, dict[str, Any]]] = {
        "png": (rgb, "PNG", {}),
        "png in RGBA": (alpha, "PNG", {}),
        "jpeg": (rgb, "JPEG", {"quality": 95}),
        "jpeg, progressive": (rgb, "JPEG", {"quality": 75, "progressive": True}),
        "webp": (rgb, "WEBP", {"method": 0}),
        "webp, lossless": (alpha, "WEBP", {"method": 0, "lossless": True}),
        "avif": (rgb, "AVIF", {"speed": 10, "quality": 95, "subsampling": "4:4:4"}),
        "gif": (grey, "GIF", {}),
        "tiff, lzw": (rgb, "TIFF", {"compression": "tiff_lzw"}),
        "tiff, lzma": (rgb, "TIFF", {"compression": "lzma"}),
        "tiff, floats": (grey.convert("F"), "TIFF", {}),
        "bmp": (rgb, "BMP", {}),
        "tga, run lengths": (rgb, "TGA", {"compression": "tga_rle"}),
        "ppm": (rgb, "PPM", {}),
        "jpeg 2000": (rgb, "JPEG2000", {}),
    }
    return {f"noise as {name}": partial(encoded, *way, **options) for name, (*way, options) in ways.items()}


def picture_bombs() -> dict[str, Callable[[], NDArray[np.uint8]]]:
    """Return a maker of each picture, uint8 [H, W], that is slow to read, by name."""
    return {
        "noise": lambda: np.random.default_rng(0).integers(0, 256, (2100, 2100), np.uint8),
        "salt": lambda: np.where(np.random.default_rng(0).random((2100, 2100)) < 0.05, 0, 255).astype(np.uint8),
        "dots": lambda: _sheet(2000, lambda y, x: (y % 4 < 2) & (x % 4 < 2)),
        "a thousand dots": lambda: _sheet(1000, lambda y, x: (y % 32 < 8) & (x % 32 < 8)),
        "slanted lines": lambda: _sheet(1000, lambda y, x: (x + y) % 4 == 0),
        "short slanted lines": lambda: _sheet(1000, lambda y, x: ((x + y) % 6 < 2) & (y % 100 < 98)),
        "upright lines": lambda: _sheet(1000, lambda y, x: (x % 3 == 0) & (y > 4) & (y < 995)),
        "rings": lambda: _sheet(1000, lambda y, x: np.maximum(abs(y - 500), abs(x - 500)) % 4 == 0),
        "a maze": lambda: _maze(1000),
        "a spiral": _spiral,
        "a comb": lambda: _sheet(1000, lambda y, x: (x % 2 == 0) | (y == 999)),
        "nested regions": _nested,
        "a long strip": lambda: _strip(20, 50_000),
        "a strip of waves": lambda: _strip(64, 15_000),
        "one large mark and a thousand small ones": _large_and_small,
        "a line in each row": _rows,
        "many rules": lambda: _sheet(2000, lambda y, x: (y % 20 == 0) | (x % 20 == 0)),
        "ladders": lambda: _sheet(1000, lambda y, x: (y % 30 < 24) & ((x % 12 < 2) | (y % 30 == 12)) & (x % 500 > 8)),
    }


def _blank(height: int, width: int) -> NDArray[np.uint8]:
    return np.full((height, width), 255, np.uint8)


def _sheet(side: int, ink: Callable[[NDArray[np.int64], NDArray[np.int64]], Any]) -> NDArray[np.uint8]:
    y, x = np.mgrid[:side, :side]
    page = _blank(side + 64, side + 64)
    page[32:-32, 32:-32][np.asarray(ink(y, x), bool)] = 0
    return page


def _maze(side: int) -> NDArray[np.uint8]:
    random = np.random.default_rng(1)
    page = _blank(side, side)
    page[1:-1:2, 1:-1:2] = 0
    right = random.random(page[1:-1:2, 2:-1:2].shape) < 0.5
    page[1:-1:2, 2:-1:2][right] = 0
    page[2:-1:2, 1:-1:2][~right[: page[2:-1:2].shape[0]][:, : page[2:-1:2, 1:-1:2].shape[1]]] = 0
    return page


def _spiral() -> NDArray[np.uint8]:
    page = _blank(1000, 1000)
    top, left, bottom, right = 4, 4, 995, 995
    while right - left > 8:
        page[top, left:right] = 0
        page[top:bottom, right] = 0
        page[bottom, left : right + 1] = 0
        page[top + 4 : bottom, left] = 0
        page[top + 4, left : left + 4] = 0
        top, left, bottom, right = top + 4, left + 4, bottom - 4, right - 4
    return page


def _nested() -> NDArray[np.uint8]:
    page = _blank(2000, 2000)
    for k in range(0, 900, 60):
        tone = 0 if k // 60 % 2 else 255
        page[k : 2000 - k, k : 2000 - k] = tone
        page[k + 20 : k + 50, k + 300 : 1700 - k : 40] = 255 - tone
    return page


def _strip(height: int, width: int) -> NDArray[np.uint8]:
    page = _blank(height + 8, width)
    middle = height // 2 + (height // 2 - 2) * np.sin(np.arange(width) / 5)
    for thickness in range(4):
        page[np.clip(4 + middle.astype(int) + thickness, 0, height + 7), np.arange(width)] = 0
    return page


def _large_and_small() -> NDArray[np.uint8]:
    page = _sheet(1000, lambda y, x: (y % 31 < 12) & (x % 31 < 5))
    page[40:1020, 500:512] = 0
    return page


def _rows() -> NDArray[np.uint8]:
    page, rows = _blank(8000, 130), np.arange(990)
    for across in range(6):
        page[20 + 8 * rows, 5 + (37 * rows) % 100 + across] = 0
    return page
