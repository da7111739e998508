"""Small valid pictures in every supported format, in every mode and coding that Pillow can write."""

import struct
import zlib
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

from edgedigits_runtime.synthetic.samples import mnist_like
from tests.support.picture_files import PNG, bmp_rle, encoded, png_chunk

TIFF_CODINGS = ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "lzma", "zstd", "jpeg", "tiff_deflate")


@cache
def corpus() -> tuple[bytes, ...]:
    """Return the files; they depend on Pillow's version alone."""
    return tuple(_files())


def drawings() -> list[Image.Image]:
    """Return a bright digit on dark, a dark digit on light, a number and a small page, all grey."""
    digits, _ = mnist_like(12, seed=5)
    page = np.full((132, 168), 250, np.uint8)
    for k, digit in enumerate(digits):
        y, x = 8 + 42 * (k // 4), 6 + 40 * (k % 4)
        page[y : y + 28, x : x + 28] = 250 - digit * 0.9
    number = np.full((40, 100), 235, np.uint8)
    for k in range(3):
        number[6:34, 6 + 30 * k : 34 + 30 * k] = 235 - digits[k] * 0.8
    return [Image.fromarray(each) for each in (digits[0], 255 - digits[3], number, page)]


def _files() -> Iterator[bytes]:
    bright, dark, number, page = drawings()
    for drawing in (bright, dark):
        for make in (_pngs, _jpegs, _tiffs, _simple, _modern):
            yield from make(drawing)
    # Few larger ones, because they take most of the time.
    yield from _jpegs(number)
    yield from _pngs(number)
    yield encoded(page, "PNG")
    yield encoded(page, "JPEG")
    yield from _not_written_by_pillow(np.asarray(dark))


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x011A] = orientation, "maker", 72.0
    return exif


def _profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _transparent(drawing: Image.Image) -> Image.Image:
    """Return dark ink on a transparent ground, RGBA."""
    return Image.merge("RGBA", (*(Image.new("L", drawing.size),) * 3, drawing.point([255 - k for k in range(256)])))


def _pngs(drawing: Image.Image) -> Iterator[bytes]:
    rgb = drawing.convert("RGB")
    deep = Image.fromarray(np.asarray(drawing).astype(np.uint16) * 257)
    text = PngImagePlugin.PngInfo()
    text.add_text("a", "b" * 100, zip=True)
    text.add_itxt("c", "ä" * 20, zip=True)
    grey = (drawing.convert("1"), drawing, drawing.convert("LA"), drawing.quantize(7))
    for image in (*grey, rgb, _transparent(drawing), deep):
        yield encoded(image, "PNG")
    yield encoded(drawing.quantize(16), "PNG", transparency=bytes(range(16)))
    yield encoded(drawing, "PNG", transparency=255, pnginfo=text)
    yield encoded(rgb, "PNG", exif=_exif(6), icc_profile=_profile(), pnginfo=text, dpi=(300, 300))
    yield encoded(rgb, "PNG", save_all=True, append_images=[rgb.rotate(90), rgb])


def _jpegs(drawing: Image.Image) -> Iterator[bytes]:
    rgb = drawing.convert("RGB")
    yield encoded(drawing, "JPEG")
    yield encoded(drawing, "JPEG", progressive=True, quality=95)
    yield encoded(rgb, "JPEG", subsampling=0, exif=_exif(3), icc_profile=_profile())
    yield encoded(rgb, "JPEG", progressive=True, exif=_exif(8), comment=b"a comment", restart_marker_blocks=2)
    yield encoded(rgb.convert("CMYK"), "JPEG")
    yield encoded(rgb, "MPO", save_all=True, append_images=[rgb])


def _tiffs(drawing: Image.Image) -> Iterator[bytes]:
    rgb = drawing.convert("RGB")
    for coding in TIFF_CODINGS:
        yield encoded(rgb, "TIFF", compression=coding)
    for coding in ("group3", "group4", "tiff_ccitt"):
        yield encoded(drawing.convert("1"), "TIFF", compression=coding)
    numbers = np.asarray(drawing)
    deep = [Image.fromarray(numbers.astype(kind)) for kind in (np.uint16, np.int32, np.float32)]
    palette = drawing.quantize(9)
    for image in (drawing.convert("1"), drawing, drawing.convert("LA"), palette, *deep, rgb.convert("CMYK")):
        yield encoded(image, "TIFF", exif=_exif(5))
    yield encoded(_transparent(drawing), "TIFF", compression="tiff_lzw", big_tiff=True)
    yield encoded(rgb.convert("YCbCr"), "TIFF")
    yield encoded(Image.merge("LAB", (drawing, *(Image.new("L", drawing.size, 128),) * 2)), "TIFF")
    yield encoded(drawing, "TIFF", save_all=True, append_images=[drawing, rgb], icc_profile=_profile())
    yield encoded(drawing, "TIFF", tiffinfo={278: 4})


def _simple(drawing: Image.Image) -> Iterator[bytes]:
    rgb, clear, palette = drawing.convert("RGB"), _transparent(drawing), drawing.quantize(32)
    for image in (drawing.convert("1"), drawing, palette, rgb, clear):
        yield encoded(image, "BMP")
    yield encoded(rgb, "DIB")
    for image in (drawing, palette, rgb, clear):
        yield encoded(image, "TGA")
        yield encoded(image, "TGA", compression="tga_rle")
    for image in (drawing.convert("1"), drawing, rgb, Image.fromarray(np.asarray(drawing).astype(np.int32) * 257)):
        yield encoded(image, "PPM")
    yield encoded(drawing.convert("F"), "PPM")
    yield encoded(drawing, "GIF")
    yield encoded(palette, "GIF", transparency=0, comment=b"a comment", interlace=0)
    yield encoded(palette, "GIF", save_all=True, append_images=[drawing.rotate(90), drawing], duration=100)
    yield encoded(clear, "ICO", sizes=[(16, 16), drawing.size])
    yield encoded(clear, "ICO", sizes=[drawing.size], bitmap_format="bmp")


def _modern(drawing: Image.Image) -> Iterator[bytes]:
    rgb, clear = drawing.convert("RGB"), _transparent(drawing)
    yield encoded(rgb, "WEBP", exif=_exif(6), icc_profile=_profile())
    yield encoded(rgb, "WEBP", lossless=True)
    yield encoded(clear, "WEBP")
    for image in (drawing, rgb, clear):
        yield encoded(image, "AVIF", speed=10, exif=_exif(7))
        yield encoded(image, "JPEG2000")
    yield encoded(rgb, "JPEG2000", no_jp2=True, tile_size=(32, 32), irreversible=True, quality_layers=[20])
    yield encoded(rgb, "WEBP", save_all=True, append_images=[rgb.rotate(90)])
    yield encoded(rgb, "AVIF", save_all=True, append_images=[rgb.rotate(90)], speed=10)


def _not_written_by_pillow(pixels: Any) -> Iterator[bytes]:
    """Yield files that Pillow reads but does not write: plain numbers, other maxima, run lengths, interlacing."""
    height, width = pixels.shape
    plain = " ".join(map(str, pixels.reshape(-1).tolist()))
    yield f"P2\n# a comment\n{width} {height}\n255\n{plain}\n".encode()
    colours = " ".join(map(str, pixels.repeat(3).tolist()))
    yield f"P3 {width} {height} 255 {colours}".encode()
    yield f"P1 {width} {height} {' '.join(str(int(level < 128)) for level in pixels.reshape(-1))}".encode()
    yield b"P5 %d %d 1023\n" % (width, height) + (pixels.astype(">u2") * 4).tobytes()
    yield bmp_rle(width, height, b"".join(_run_lengths(row) + b"\0\0" for row in pixels[::-1] // 64 * 64) + b"\0\1")
    yield _interlaced(pixels)


def _run_lengths(row: Any) -> bytes:
    ends = [*(np.flatnonzero(np.diff(row)) + 1).tolist(), len(row)]
    starts = [0, *ends[:-1]]
    return b"".join(bytes((end - start, int(row[start]))) for start, end in zip(starts, ends, strict=True))


def _interlaced(pixels: Any) -> bytes:
    """Return a PNG in Adam7's seven passes, each row unfiltered."""
    height, width = pixels.shape
    steps = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    passes = (pixels[top::down, left::across] for top, left, down, across in steps)
    rows = b"".join(b"\0" + row.tobytes() for each in passes for row in each)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1)
    return PNG + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
