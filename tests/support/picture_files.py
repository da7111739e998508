"""Picture files written by hand or by Pillow: whole files, and parts of them to damage."""

import io
import struct
import zlib
from typing import Any

from PIL import Image

PNG = b"\x89PNG\r\n\x1a\n"

Tag = tuple[int, int, int, int]
"""Tag, type, count and value of a TIFF entry."""


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return a picture as a file of a format."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """Return one chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width: int, height: int) -> bytes:
    """Return a grey PNG whose header claims a size that its pixels do not fill."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return PNG + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(bytes(100))) + png_chunk(b"IEND", b"")


def png(
    width: int, height: int, depth: int = 8, colour: int = 0, *, before: bytes = b"", interlaced: bool = False
) -> bytes:
    """Return a PNG of zeros, compressed as well as zlib can; `before` goes in front of the pixels."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = b"\0" * (1 + -(-width * depth * channels // 8))
    compressor = zlib.compressobj(9)
    rows = max(1, 1_000_000 // len(row))
    # The seven passes of an interlaced PNG have more filter bytes; surplus data does no harm.
    lines = height * 2 if interlaced else height
    parts = [compressor.compress(row * min(rows, lines - k)) for k in range(0, lines, rows)]
    data = b"".join(parts) + compressor.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    palette = png_chunk(b"PLTE", bytes(range(256)) * 3) + png_chunk(b"tRNS", bytes(range(256))) if colour == 3 else b""
    return PNG + png_chunk(b"IHDR", header) + palette + before + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")


def bmp_rle(width: int, height: int, codes: bytes) -> bytes:
    """Return a BMP of run lengths, 256 grey levels."""
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(codes), 0, 0, 256, 0)
    palette = b"".join(bytes((k, k, k, 0)) for k in range(256))
    offset = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + len(codes), 0, 0, offset) + header + palette + codes


def tiff(entries: list[Tag], rest: bytes = b"", following: int = 0) -> bytes:
    """Return a TIFF of a directory and the bytes after it; offsets count from the start of the file."""
    packed = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + packed + struct.pack("<I", following) + rest
