"""Write Protocol Buffers messages field by field, and a SavedModel of them in milliseconds."""

from pathlib import Path

Value = bytes | str | int


def message(*fields: tuple[int, Value]) -> bytes:
    """Return a message of numbered fields: a number as a varint, a text or bytes with their length."""
    content = bytearray()
    for number, value in fields:
        if isinstance(value, int):
            content += _varint(number << 3) + _varint(value)
            continue
        raw = value.encode() if isinstance(value, str) else value
        content += _varint(number << 3 | 2) + _varint(len(raw)) + raw
    return bytes(content)


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


FLOAT, STRING = 1, 7
"""Numbers of dtypes in types.proto."""


def node(operator: str, *calls: str) -> bytes:
    """A node of a graph, which may call functions."""
    attributes = [(5, message((1, "f"), (2, message((10, message((1, name))))))) for name in calls]
    return message((1, "node"), (2, operator), *attributes)


def function(name: str, *nodes: bytes) -> bytes:
    """A function of a graph's library."""
    return message((1, message((1, name))), *((3, part) for part in nodes))


def signature(inputs: dict[str, int], outputs: tuple[str, ...] = ("output_0",)) -> bytes:
    """A signature with inputs by name and dtype."""
    return message(
        *((1, message((1, name), (2, message((1, f"{name}:0"), (2, dtype))))) for name, dtype in inputs.items()),
        *((2, message((1, name), (2, message((2, FLOAT))))) for name in outputs),
    )


def write_saved_model(
    folder: Path,
    *functions: bytes,
    nodes: tuple[bytes, ...] = (),
    signatures: dict[str, bytes] | None = None,
    objects: bytes | None = b"",
) -> Path:
    """Write a SavedModel folder; `objects` is its graph of objects, which TensorFlow 1 had not (None)."""
    found = {"serving_default": signature({"image": FLOAT})} if signatures is None else signatures
    graph = message(*((1, part) for part in nodes), (2, message(*((1, part) for part in functions))))
    content = [(2, graph), *((5, message((1, name), (2, value))) for name, value in found.items())]
    if objects is not None:
        content.append((7, objects))
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(message((1, 1), (2, message(*content))))
    return folder
