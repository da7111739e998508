"""Mutations of picture files; many of the results still lead a decoder far into its work.

Some mutations change bytes and lengths. Others drop, repeat, swap and enlarge the parts of a format (chunks of a PNG,
segments of a JPEG, boxes, tags) and correct check sums and lengths.
"""

import random
import struct
import zlib
from collections.abc import Callable

from edgedigits_runtime.reading.formats import format_of
from tests.support.picture_files import PNG, png_chunk

MAX_BYTES = 1 << 16
NUMBERS = (0, 1, 2, 3, 7, 8, 16, 28, 127, 128, 255, 256, 1000, 4096, 8000, 8001, 32_767, 32_768, 65_535, 65_536)
LARGE = (*NUMBERS, 1_000_000, 64_000_000, 2**31 - 1, 2**31, 2**32 - 1, 2**32 - 16)

# Tags of a TIFF for size, depth, coding, colours, offsets and orientation.
TAGS = (254, 256, 257, 258, 259, 262, 273, 274, 277, 278, 279, 284, 317, 320, 322, 324, 330, 338)

TIFF_FIELDS: tuple[tuple[int, str, tuple[int, ...]], ...] = (
    (0, "H", TAGS),
    (2, "H", (*range(14), 16, 255)),
    (4, "I", LARGE),
    (8, "I", LARGE),
    (8, "H", (*range(10), 32_773, 32_946, 34_712, 50_000, *NUMBERS)),
)
"""Offset in an entry, format and values."""

Random = random.Random
Mutation = Callable[[bytearray, Random, list[bytes]], bytearray]
"""Changes a file; the list holds other files to take parts from."""


def mutated(content: bytes, others: list[bytes], random: Random) -> bytes:
    """Return a file after one or several mutations."""
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 1, 2, 2, 3, 6))):
        kind = format_of(bytes(changed[:64]))
        change = random.choice((*ANY, *OF_FORMAT.get(kind or "", ()) * 3))
        changed = change(changed, random, others)[:MAX_BYTES]
    return bytes(changed)


def _place(content: bytearray, random: Random) -> int:
    """Return an offset, more often near the start, where headers are."""
    end = len(content) if random.random() < 0.65 else min(len(content), 64)
    return random.randrange(end) if end else 0


def flip_bits(content: bytearray, random: Random, _: list[bytes]) -> bytearray:
    for _ in range(random.choice((1, 1, 2, 4, 16))):
        if content:
            content[_place(content, random)] ^= 1 << random.randrange(8)
    return content


def set_bytes(content: bytearray, random: Random, _: list[bytes]) -> bytearray:
    for _ in range(random.choice((1, 1, 2, 4, 16))):
        if content:
            content[_place(content, random)] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
    return content


def set_number(content: bytearray, random: Random, _: list[bytes]) -> bytearray:
    form = random.choice((">H", "<H", ">I", "<I", "<H", ">I"))
    place, size = _place(content, random), struct.calcsize(form)
    if place + size <= len(content):
        number = struct.unpack_from(form, content, place)[0] + random.choice((-1, 1, -16, 16))
        if random.random() < 0.8:
            number = random.choice(LARGE)
        struct.pack_into(form, content, place, number % 2 ** (8 * size))
    return content


def truncate(content: bytearray, random: Random, _: list[bytes]) -> bytearray:
    return content[: random.randrange(len(content) + 1)]


def drop(content: bytearray, random: Random, _: list[bytes]) -> bytearray:
    place = _place(content, random)
    del content[place : place + random.choice((1, 2, 4, 16, 256))]
    return content


def repeat(content: bytearray, random: Random, _: list[bytes]) -> bytearray:
    place = _place(content, random)
    part = content[place : place + random.choice((1, 2, 4, 16, 256, 4096))]
    content[place:place] = part * random.choice((1, 1, 2, 8, 64))
    return content


def insert(content: bytearray, random: Random, _: list[bytes]) -> bytearray:
    place = _place(content, random)
    content[place:place] = random.randbytes(random.choice((1, 2, 4, 16, 256)))
    return content


def cross_over(content: bytearray, random: Random, others: list[bytes]) -> bytearray:
    other = random.choice(others)
    alike = [each for each in random.sample(others, min(8, len(others))) if each[:2] == bytes(content[:2])]
    if alike and random.random() < 0.7:
        other = alike[0]
    if random.random() < 0.5:
        return content[: random.randrange(len(content) + 1)] + other[random.randrange(len(other) + 1) :]
    start, place = random.randrange(len(other) + 1), _place(content, random)
    part = other[start : start + random.choice((4, 16, 64, 1024))]
    content[place : place + len(part)] = part
    return content


ANY: tuple[Mutation, ...] = (
    *(flip_bits, set_bytes, set_bytes, set_number, set_number, set_number),
    *(truncate, drop, repeat, insert, cross_over, cross_over),
)


def _changed_parts(parts: list[bytearray], lent: list[bytearray], random: Random) -> list[bytearray]:
    """Drop, repeat or swap a part, insert one of another file, or change one inside."""
    if not parts:
        return parts
    place = random.randrange(len(parts))
    change = random.randrange(8)
    if change == 0:
        del parts[place]
    elif change == 1:
        parts[place:place] = [parts[place]] * random.choice((1, 1, 2, 10, 200))
    elif change == 2:
        other = random.randrange(len(parts))
        parts[place], parts[other] = parts[other], parts[place]
    elif change == 3 and lent:
        parts.insert(place, random.choice(lent))
    else:
        inside = random.choice((set_bytes, set_number, set_number, flip_bits, repeat, drop, insert))
        parts[place] = inside(bytearray(parts[place]), random, [])
    return parts


def _lender(others: list[bytes], random: Random, start: bytes) -> bytes:
    return random.choice([other for other in others if other.startswith(start)] or [b""])


def _png_parts(content: bytes) -> list[bytearray]:
    parts, place = [], 8
    while place + 12 <= len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        parts.append(bytearray(content[place + 4 : place + 8 + length]))
        place += 12 + length
    return parts


def _joined_png(parts: list[bytearray]) -> bytearray:
    return bytearray(PNG + b"".join(png_chunk(bytes(part[:4]), bytes(part[4:])) for part in parts))


def png_chunks(content: bytearray, random: Random, others: list[bytes]) -> bytearray:
    lent = _png_parts(_lender(others, random, content[:8]))
    return _joined_png(_changed_parts(_png_parts(bytes(content)), lent, random))


def png_pixels(content: bytearray, random: Random, others: list[bytes]) -> bytearray:
    """Change the filtered rows of a PNG and compress them again, so that they are decoded."""
    parts = _png_parts(bytes(content))
    data = b"".join(part[4:] for part in parts if part[:4] == b"IDAT")
    try:
        rows = bytearray(zlib.decompressobj().decompress(data, 1 << 20))
    except zlib.error:
        return content
    packed = bytearray(b"IDAT" + zlib.compress(bytes(random.choice(ANY)(rows, random, others)), 1))
    rest = [part for part in parts if part[:4] != b"IDAT"]
    return _joined_png([*rest[:-1], packed, *rest[-1:]])


def png_header(content: bytearray, random: Random, _: list[bytes]) -> bytearray:
    """Change the size, depth, colour type or interlacing of a PNG, and correct the check sum."""
    if len(content) < 33:
        return content
    if random.random() < 0.5:
        struct.pack_into(">I", content, random.choice((16, 20)), random.choice((1, 2, 27, 29, 64, 65, 500, *LARGE)))
    else:
        content[random.choice((24, 25, 28))] = random.choice((0, 1, 2, 3, 4, 6, 8, 16))
    struct.pack_into(">I", content, 29, zlib.crc32(content[12:29]))
    return content


def _jpeg_parts(content: bytes) -> tuple[list[bytearray], bytes]:
    """Return the segments before the coded pixels of a JPEG, and the rest."""
    parts, place = [], 2
    while place + 4 <= len(content) and content[place] == 0xFF and content[place + 1] != 0xDA:
        length = int.from_bytes(content[place + 2 : place + 4], "big")
        parts.append(bytearray(content[place + 1 : place + 2] + content[place + 4 : place + 2 + length]))
        place += 2 + length
    return parts, content[place:]


def jpeg_segments(content: bytearray, random: Random, others: list[bytes]) -> bytearray:
    parts, rest = _jpeg_parts(bytes(content))
    parts = _changed_parts(parts, _jpeg_parts(_lender(others, random, b"\xff\xd8"))[0], random)
    written = bytearray(b"\xff\xd8")
    for part in parts:
        written += b"\xff" + part[:1] + struct.pack(">H", min(len(part) + 1, 65_535)) + part[1:]
    return written + rest


def jpeg_scans(content: bytearray, random: Random, _: list[bytes]) -> bytearray:
    """Repeat a scan of a JPEG, or change its coded data."""
    starts = [k for k in range(len(content) - 1) if content[k] == 0xFF and content[k + 1] == 0xDA]
    if not starts:
        return content
    start = random.choice(starts)
    end = min([place for place in starts if place > start], default=len(content) - 2)
    if random.random() < 0.3:
        content[end:end] = content[start:end] * random.choice((1, 2, 20, 150))
    else:
        for _ in range(random.choice((1, 2, 8))):
            if end - start > 20:
                content[random.randrange(start + 12, end)] = random.randrange(255)
    return content


def _boxes(content: bytes, order: str, head: int) -> list[bytearray]:
    """Return the chunks of a RIFF file ("<") or the boxes of an ISO file (">") from `head` on, without lengths."""
    parts, place = [], head
    while place + 8 <= len(content):
        if order == "<":
            length = struct.unpack_from("<I", content, place + 4)[0]
            parts.append(bytearray(content[place : place + 4] + content[place + 8 : place + 8 + length]))
            place += 8 + length + length % 2
        else:
            length = struct.unpack_from(">I", content, place)[0]
            length = length if length >= 8 else len(content) - place
            parts.append(bytearray(content[place + 4 : place + length]))
            place += length
    return parts


def webp_chunks(content: bytearray, random: Random, others: list[bytes]) -> bytearray:
    lent = _boxes(_lender(others, random, b"RIFF"), "<", 12)
    body = bytearray(b"WEBP")
    for part in _changed_parts(_boxes(bytes(content), "<", 12), lent, random):
        body += part[:4].ljust(4) + struct.pack("<I", max(len(part) - 4, 0)) + part[4:] + b"\0" * (len(part) % 2)
    return bytearray(b"RIFF" + struct.pack("<I", len(body))) + body


def iso_boxes(content: bytearray, random: Random, others: list[bytes]) -> bytearray:
    lent = _boxes(_lender(others, random, bytes(content[:4])), ">", 0)
    parts = _changed_parts(_boxes(bytes(content), ">", 0), lent, random)
    return bytearray(b"".join(struct.pack(">I", len(part) + 4) + part for part in parts))


def tiff_entries(content: bytearray, random: Random, _: list[bytes]) -> bytearray:
    """Change tags, types, counts and values of a TIFF, or of EXIF data."""
    starts = [k for k in (content.find(b"II*\0"), content.find(b"MM\0*")) if k >= 0]
    if not starts:
        return content
    start = random.choice(starts)
    order = "<" if content[start] == 0x49 else ">"
    try:
        first = start + struct.unpack_from(order + "I", content, start + 4)[0]
        count = struct.unpack_from(order + "H", content, first)[0]
        for _ in range(random.choice((1, 1, 2, 3))):
            entry = first + 2 + 12 * random.randrange(max(count, 1))
            part, form, numbers = random.choice(TIFF_FIELDS)
            struct.pack_into(order + form, content, entry + part, random.choice(numbers))
    except struct.error:
        pass
    return content


OF_FORMAT: dict[str, tuple[Mutation, ...]] = {
    "PNG": (png_chunks, png_pixels, png_header),
    "JPEG": (jpeg_segments, jpeg_scans, tiff_entries),
    "WEBP": (webp_chunks, tiff_entries),
    "AVIF": (iso_boxes,),
    "JPEG2000": (iso_boxes,),
    "TIFF": (tiff_entries, tiff_entries),
}
"""Mutations of one format, in addition to ANY."""
