"""Read a Protocol Buffers message field by field: https://protobuf.dev/programming-guides/encoding."""

from collections.abc import Iterator

VARINT, FIXED64, LENGTH_DELIMITED, FIXED32 = 0, 1, 2, 5
"""Wire types."""

Message = bytes | memoryview


def fields(message: Message) -> Iterator[tuple[int, int, int, Message]]:
    """Yield number, wire type, value of a varint (else 0) and bytes of any other field (else none), in file order.

    Raises ValueError if the bytes are not a whole message.
    """
    position, end = 0, len(message)
    while position < end:
        tag, position = _varint(message, position)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise ValueError("a field has no number")
        if kind == VARINT:
            value, position = _varint(message, position)
            yield number, kind, value, b""
            continue
        if kind == LENGTH_DELIMITED:
            length, position = _varint(message, position)
        elif kind in (FIXED64, FIXED32):
            length = 8 if kind == FIXED64 else 4
        else:
            raise ValueError(f"wire type {kind} is not one of Protocol Buffers")
        if position + length > end:
            raise ValueError("the message ends in the middle of a field")
        yield number, kind, 0, message[position : position + length]
        position += length


def texts(message: Message) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of a message's length-delimited fields."""
    for number, kind, _, content in fields(message):
        if kind == LENGTH_DELIMITED:
            yield number, bytes(content)


def signed(value: int) -> int:
    """Convert a varint to int64."""
    return value - (1 << 64) if value >= 1 << 63 else value


def packed(content: Message) -> list[int]:
    """Return the int64 values of a packed repeated field; raise ValueError if it ends in the middle of a number."""
    found, position = [], 0
    while position < len(content):
        value, position = _varint(content, position)
        found.append(signed(value))
    return found


def _varint(message: Message, position: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, lowest first, and the position after it."""
    number = shift = 0
    while position < len(message) and shift < 64:
        byte = message[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & 0xFFFFFFFFFFFFFFFF, position
        shift += 7
    raise ValueError("the message ends in the middle of a number")
