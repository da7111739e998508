"""Decompress .Z files of the Unix program compress, which Python's library cannot.

Format (compress(1), version 4.0): two magic bytes, a byte of flags (the low 5 bits are the widest code, 0x80 is block
mode), then LZW codes from 9 bits up, the lowest bit first. Codes are written in groups of eight, and a group that is
cut short by a change of width is filled up. In block mode code 256 clears the table.
"""

COMPRESS_MAGIC = b"\x1f\x9d"
HEADER = 3
NARROWEST, WIDEST = 9, 16
BLOCK_MODE = 0x80
CLEAR = 256


def uncompress(raw: bytes, limit: int) -> bytes:
    """Return the content of a .Z file, or its first bytes up to about `limit`.

    Raises:
        ValueError: not the format, or damaged.
    """
    flags = raw[2] if len(raw) >= HEADER else 0
    widest, block_mode = flags & 0x1F, bool(flags & BLOCK_MODE)
    if not raw.startswith(COMPRESS_MAGIC) or not NARROWEST <= widest <= WIDEST:
        raise ValueError("no header of compress")
    first = CLEAR + block_mode
    table = [bytes([value]) for value in range(CLEAR)] + [b""] * block_mode
    out = bytearray()
    previous = b""
    width, start, bit, end = NARROWEST, HEADER * 8, HEADER * 8, len(raw) * 8
    while bit + width <= end and len(out) < limit:
        code = int.from_bytes(raw[bit >> 3 : (bit >> 3) + 4], "little") >> (bit & 7) & ((1 << width) - 1)
        bit += width
        if block_mode and code == CLEAR:
            del table[first:]
            bit = start = _group_end(bit, start, width)
            width, previous = NARROWEST, b""
            continue
        if code < len(table):
            entry = table[code]
        elif code == len(table) and previous:
            entry = previous + previous[:1]
        else:
            raise ValueError(f"code {code} at bit {bit} is not in the table")
        out += entry
        if previous and len(table) < 1 << widest:
            table.append(previous + entry[:1])
        previous = entry
        if len(table) >= 1 << width and width < widest:
            bit = start = _group_end(bit, start, width)
            width += 1
    return bytes(out)


def _group_end(bit: int, start: int, width: int) -> int:
    """Return the end of the group of eight codes in which `bit` lies, of groups from `start` on."""
    group = 8 * width
    return start + -(-(bit - start) // group) * group
