"""Check the header of a picture file before a decoder runs.

A header may demand hours of work: a colour profile unpacked 10,000 times, a strip for every byte, 5,000 passes over the
same pixels. No picture needs that.
"""

import re
import struct
from collections.abc import Callable, Iterator
from itertools import islice

MOST_CHUNKS = 20_000  # Chunks of a PNG; a large animation has some thousands.
# Segments of a JPEG; a profile or a second picture in extended XMP takes hundreds, of 64 kB each.
MOST_SEGMENTS = 5000
# Scans of a progressive JPEG; encoders write about ten. Pieces of EXIF data, of 64 kB each, are joined one by one.
MOST_SCANS = 100
MOST_EXIF_PIECES = 64
# A JPEG marker with a length, without stuffing in coded pixels.
MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
START_OF_SCAN, END_OF_IMAGE, APP1 = 0xDA, 0xD9, 0xE1

# First byte of a GIF block.
GIF_BLOCK = re.compile(rb"[\x21\x2c\x3b]")

MOST_STRIPS = 70_000  # Strips or tiles of a TIFF; Pillow starts a decoder for each.
# Bytes of a TIFF value by the number of its type.
TYPE_SIZES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)
STRIPS, TILES, TILE_WIDTH, TILE_HEIGHT = 273, 324, 322, 323
# Tiles and components of a JPEG 2000.
MOST_TILES = 4096
MOST_COMPONENTS = 4

MOST_ICONS = 256
MOST_FRAMES = 1000  # Counting of frames or pages stops here.

PNG = b"\x89PNG\r\n\x1a\n"


class Refused(Exception):
    """Decoding would need more work or memory than any picture should."""


def check_header(kind: str, content: bytes, max_pixels: int) -> bytes:
    """Return the bytes to decode, an icon's PNG or else the file; raise Refused if its header demands too much work."""
    if kind == "ICO":
        return _icon(content, max_pixels)
    if kind in CHECKS:
        CHECKS[kind](content, max_pixels)
    return content


def frames_in(kind: str | None, content: bytes) -> int:
    """Return the number of frames of a GIF or pages of a TIFF, at most MOST_FRAMES + 1; 1 for other formats."""
    counting = {"GIF": _gif_frames, "TIFF": _tiff_pages}.get(kind or "")
    return sum(1 for _ in islice(counting(content), MOST_FRAMES + 1)) if counting else 1


def _png(content: bytes, _: int) -> None:
    profiles = chunks = 0
    place = len(PNG)
    while place + 8 <= len(content):
        length, name = struct.unpack_from(">I4s", content, place)
        profiles += name == b"iCCP"
        chunks += 1
        if profiles > 1 or chunks > MOST_CHUNKS:
            raise Refused(f"it has several colour profiles, or more than {MOST_CHUNKS:,} chunks")
        place += 12 + length


def _jpeg(content: bytes, _: int) -> None:
    segments = scans = pieces = 0
    place = 2
    while (found := MARKER.search(content, place)) is not None:
        place, marker = found.end(), content[found.end() - 1]
        if marker == END_OF_IMAGE and scans:
            return
        segments += 1
        if segments > MOST_SEGMENTS:
            raise Refused(f"it has more than {MOST_SEGMENTS:,} segments")
        scans += marker == START_OF_SCAN
        pieces += marker == APP1 and content.startswith(b"Exif\0\0", place + 2)
        if scans > MOST_SCANS or pieces > MOST_EXIF_PIECES:
            raise Refused(f"it has more than {MOST_SCANS} scans or {MOST_EXIF_PIECES} pieces of EXIF data")
        if marker != END_OF_IMAGE:
            place += max(int.from_bytes(content[place : place + 2], "big"), 2)


def _webp(content: bytes, max_pixels: int) -> None:
    # The decoder allocates the canvas at once.
    head = content[12:30].ljust(18, b"\0")
    if head.startswith(b"VP8X"):
        size = int.from_bytes(head[12:15], "little") + 1, int.from_bytes(head[15:18], "little") + 1
    elif head.startswith(b"VP8L"):
        bits = int.from_bytes(head[9:13], "little")
        size = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        size = int.from_bytes(head[14:16], "little") & 0x3FFF, int.from_bytes(head[16:18], "little") & 0x3FFF
    _check_size(*size, max_pixels)


def _tiff(content: bytes, max_pixels: int) -> None:
    values = {tag: (count, value) for tag, count, value in _tiff_entries(content)}
    if max(values.get(tag, (0, 0))[0] for tag in (STRIPS, TILES)) > MOST_STRIPS:
        raise Refused(f"it has more than {MOST_STRIPS:,} strips or tiles")
    width, height = (values.get(tag, (0, 0))[1] for tag in (TILE_WIDTH, TILE_HEIGHT))
    _check_size(width, height, max_pixels)


def _tiff_entries(content: bytes) -> list[tuple[int, int, int]]:
    """Return the tag, the count and the value (or its offset) of each entry of the first page."""
    layout = _TiffLayout(content)
    start = layout.first(content)
    count = layout.number(content, start, layout.count)
    found, held = [], 0
    for place in range(start + layout.count, start + layout.count + count * layout.entry, layout.entry):
        entry = content[place : place + layout.entry]
        if len(entry) < layout.entry:
            break
        tag, kind, amount, value = struct.unpack(layout.order + ("HHQQ" if layout.entry == 20 else "HHII"), entry)
        size = amount * (TYPE_SIZES[kind] if kind < len(TYPE_SIZES) else 0)
        held += size if size > layout.word else 0
        if held > len(content):
            raise Refused("its tags hold more than the whole file")
        if kind == 3 and amount == 1:
            # A short value is in the first bytes in either byte order.
            value = struct.unpack_from(layout.order + "H", entry, layout.entry - layout.word)[0]
        found.append((tag, amount, value))
    return found


class _TiffLayout:
    """Byte order of a TIFF or BigTIFF, and the bytes of a word, a count and an entry."""

    def __init__(self, content: bytes) -> None:
        big = b"+" in content[2:4]
        self.order = "<" if content.startswith(b"II") else ">"
        self.word, self.count, self.entry = (8, 8, 20) if big else (4, 2, 12)

    def number(self, content: bytes, place: int, size: int) -> int:
        """Return the number of `size` bytes at an offset; 0 beyond the end."""
        return int.from_bytes(content[place : place + size], "little" if self.order == "<" else "big")

    def first(self, content: bytes) -> int:
        return self.number(content, self.word, self.word)


def _tiff_pages(content: bytes) -> Iterator[int]:
    layout = _TiffLayout(content)
    place, seen = layout.first(content), set[int]()
    while 0 < place < len(content) and place not in seen:
        seen.add(place)
        yield place
        count = layout.number(content, place, layout.count)
        place = layout.number(content, place + layout.count + count * layout.entry, layout.word)


def _gif_frames(content: bytes) -> Iterator[int]:
    flags = content[10] if len(content) > 10 else 0
    place = 13 + _palette(flags)
    while place < len(content):
        if content[place] == 0x2C and place + 9 < len(content):
            yield place
            place += 11 + _palette(content[place + 9])
        elif content[place] == 0x21:
            place += 2
        elif content[place] == 0x3B:
            return
        else:
            following = GIF_BLOCK.search(content, place + 1)
            if following is None:
                return
            place = following.start()
            continue
        while place < len(content) and content[place]:
            place += 1 + content[place]
        place += 1


def _palette(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _jpeg2000(content: bytes, max_pixels: int) -> None:
    for found in re.finditer(rb"\xff\x4f\xff\x51", content):
        if found.end() + 38 > len(content):
            return
        right, bottom, left, top, width, height, x, y, count = struct.unpack_from(">8IH", content, found.end() + 4)
        if count > MOST_COMPONENTS:
            raise Refused(f"it has {count:,} components")
        _check_size(max(right - left, 0), max(bottom - top, 0), max_pixels)
        tiles = -(-max(right - x, 0) // max(width, 1)) * -(-max(bottom - y, 0) // max(height, 1))
        if tiles > MOST_TILES:
            raise Refused(f"it has {tiles:,} tiles")


def _icon(content: bytes, max_pixels: int) -> bytes:
    """Return the PNG of the largest icon, or the file if that icon is a bitmap."""
    count = int.from_bytes(content[4:6], "little")
    if count > MOST_ICONS:
        raise Refused(f"it has {count:,} icons")
    icons = [content[place : place + 16] for place in range(6, 6 + 16 * count, 16)]
    if not icons or len(icons[-1]) < 16:
        return content
    # Pillow's choice: the largest, then the one of fewest colours, then the first.
    icons.sort(key=lambda icon: (-(icon[0] or 256) * (icon[1] or 256), _depth(icon)))
    place = int.from_bytes(icons[0][12:16], "little")
    inner = content[place:]
    if inner.startswith(PNG):
        return inner
    width, height = struct.unpack_from("<ii", inner.ljust(12, b"\0"), 4)
    _check_size(abs(width), abs(height) // 2, max_pixels)
    if inner[16:17] not in (b"\0", b"\3"):
        raise Refused("its bitmap is packed, as those of icons never are")
    return content


def _depth(icon: bytes) -> int:
    bits = int.from_bytes(icon[6:8], "little")
    return bits or (icon[2] and (icon[2] - 1).bit_length()) or 256


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise Refused(f"it claims {width:,} x {height:,} pixels")


CHECKS: dict[str, Callable[[bytes, int], None]] = {
    "PNG": _png,
    "JPEG": _jpeg,
    "WEBP": _webp,
    "TIFF": _tiff,
    "JPEG2000": _jpeg2000,
}
"""The check of each format."""
