"""Read a Protocol Buffers message field by field: https://protobuf.dev/programming-guides/encoding."""

from collections.abc import Iterator

VARINT, FIXED64, LENGTH_DELIMITED, FIXED32 = 0, 1, 2, 5
"""Wire types."""

Message = bytes | memoryview


def fields(message: Message) -> Iterator[tuple[int, int, int, Message]]:
    """Yield number, wire type, value of a varint (else 0) and bytes of any other field (else none), in file order.

    Raises ValueError if the bytes are not a whole message.
    """
    for _, _, number, kind, value, content in _places(message):
        yield number, kind, value, content


def spans(message: Message) -> Iterator[tuple[int, int, int, Message]]:
    """Yield start and end in the message, number and bytes of each field, as `fields` does."""
    for start, end, number, _, _, content in _places(message):
        yield start, end, number, content


def delimited(number: int, content: bytes) -> bytes:
    """Return a length-delimited field."""
    return _as_varint(number << 3 | LENGTH_DELIMITED) + _as_varint(len(content)) + content


def _places(message: Message) -> Iterator[tuple[int, int, int, int, int, Message]]:
    position, end = 0, len(message)
    while position < end:
        start = position
        tag, position = _varint(message, position)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise ValueError("a field has no number")
        if kind == VARINT:
            value, position = _varint(message, position)
            yield start, position, number, kind, value, b""
            continue
        if kind == LENGTH_DELIMITED:
            length, position = _varint(message, position)
        elif kind in (FIXED64, FIXED32):
            length = 8 if kind == FIXED64 else 4
        else:
            raise ValueError(f"wire type {kind} is not one of Protocol Buffers")
        if position + length > end:
            raise ValueError("the message ends in the middle of a field")
        yield start, position + length, number, kind, 0, message[position : position + length]
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


def _as_varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _as_varint(rest) if rest else bytes([low])


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
