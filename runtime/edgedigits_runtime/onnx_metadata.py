"""Read the metadata of an `.onnx` file without ONNX or ONNX Runtime, which the light install does not have.

An ONNX file is a Protocol Buffers message, a sequence of (field number, wire type, value). Metadata are its field 14,
each a message of key (field 1) and value (field 2): ModelProto and StringStringEntryProto in onnx.proto
(https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). All else is skipped.
"""

from collections.abc import Iterator

METADATA_PROPS = 14
KEY, VALUE = 1, 2

# Wire types: https://protobuf.dev/programming-guides/encoding
VARINT, FIXED64, LENGTH_DELIMITED, FIXED32 = 0, 1, 2, 5


def read_metadata(model: bytes) -> dict[str, str]:
    """Return the metadata of a serialized ONNX model.

    Raises:
        ValueError: the bytes are no whole message.
    """
    found = {}
    for number, content in _fields(model):
        if number == METADATA_PROPS:
            entry = dict(_fields(content))
            found[entry.get(KEY, b"").decode()] = entry.get(VALUE, b"").decode()
    return found


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the length-delimited fields of a message; numbers are skipped."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        kind = tag & 7
        if kind == VARINT:
            _, position = _varint(message, position)
            continue
        if kind in (FIXED64, FIXED32):
            length = 8 if kind == FIXED64 else 4
        elif kind == LENGTH_DELIMITED:
            length, position = _varint(message, position)
        else:
            raise ValueError(f"wire type {kind} is not one of Protocol Buffers")
        if position + length > len(message):
            raise ValueError("the message ends in the middle of a field")
        if kind == LENGTH_DELIMITED:
            yield tag >> 3, message[position : position + length]
        position += length


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, lowest first, and the position behind it."""
    number = shift = 0
    while position < len(message) and shift < 64:
        byte = message[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
        shift += 7
    raise ValueError("the message ends in the middle of a number")
