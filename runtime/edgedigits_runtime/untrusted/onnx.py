"""Check an `.onnx` file before ONNX Runtime sees it: its structure, sizes and operators, and what it reads besides.

The messages are those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
"""

import math
import struct
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactUnsupported
from edgedigits_runtime.untrusted import limits
from edgedigits_runtime.untrusted.onnx_operators import OPERATORS
from edgedigits_runtime.untrusted.protobuf import LENGTH_DELIMITED, VARINT, Message, fields, packed, signed, texts

WIDTHS = {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 16: 2, 21: 0.5, 22: 0.5}
"""TensorProto.DataType: bytes of an element. Texts, complex numbers and 8-bit floats are not let through."""

MODEL_GRAPH, MODEL_TRAINING, MODEL_FUNCTIONS = 7, 20, 25
GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_INPUT, GRAPH_OUTPUT, GRAPH_VALUE, GRAPH_SPARSE = 1, 5, 11, 12, 13, 15
VALUE_TYPE, TYPE_TENSOR, TENSOR_TYPE_SHAPE, SHAPE_DIMENSION, DIMENSION_SIZE, DIMENSION_NAME = 2, 1, 2, 1, 1, 2
NODE_INPUT, NODE_OUTPUT, NODE_OPERATOR, NODE_ATTRIBUTE, NODE_DOMAIN = 1, 2, 4, 5, 7
ATTRIBUTE_NAME, ATTRIBUTE_INTEGER, ATTRIBUTE_TENSOR, ATTRIBUTE_INTEGERS, ATTRIBUTE_TENSORS = 1, 3, 5, 8, 10
ATTRIBUTE_GRAPHS = (6, 11)
ATTRIBUTE_SPARSE = (22, 23)
TENSOR_DIMS, TENSOR_TYPE, TENSOR_INT64, TENSOR_NAME, TENSOR_RAW, TENSOR_EXTERNAL, TENSOR_LOCATION = (
    1,
    2,
    7,
    8,
    9,
    13,
    14,
)
INT64 = 7
NAME = 1

ATTRIBUTES = {
    "strides": range(1, limits.WINDOW + 1),
    "kernel_shape": range(1, limits.WINDOW + 1),
    "dilations": range(1, limits.WINDOW + 1),
    "pads": range(limits.WINDOW + 1),
    "group": range(1, limits.WINDOW + 1),
    "blocksize": range(1, limits.WINDOW + 1),
}
"""What the integers of these attributes may be: kernels divide by some, and make memory of others."""


def check(content: bytes, source: str) -> None:
    """Check the bytes of an `.onnx` file.

    Args:
        content: the file.
        source: its path; names it in messages, and says where its external data may be.

    Raises:
        ArtifactCorrupt: it is none, or says of itself what cannot be.
        ArtifactUnsupported: it is whole, but holds what is not let through: an operator that is not in OPERATORS,
            functions, graphs within a graph, several inputs, external data outside of its folder.
    """
    try:
        _Checker(source).check(memoryview(content))
    except ValueError as error:
        raise ArtifactCorrupt(f"{source} is not a whole .onnx file: {error}") from error


WEIGHTS = {"Conv": 1, "ConvInteger": 1, "FusedConv": 1, "QLinearConv": 3}
"""Which input of a convolution its weights are; ONNX Runtime ends the process where kernel_shape is another."""


class _Checker:
    def __init__(self, source: str) -> None:
        self.source = source
        self.shapes: dict[str, list[int]] = {}
        self.integers: dict[str, list[int]] = {}

    def unsupported(self, what: str) -> ArtifactUnsupported:
        return ArtifactUnsupported(f"{self.source} {what}")

    def check(self, content: Message) -> None:
        parts = list(_parts(content))
        for number, _ in parts:
            if number == MODEL_FUNCTIONS:
                raise self.unsupported("defines functions of its own; export it with them inlined")
            if number == MODEL_TRAINING:
                raise self.unsupported("holds what trains it; export it for inference")
        graphs = [part for number, part in parts if number == MODEL_GRAPH]
        if len(graphs) != 1:
            raise ValueError(f"it holds {len(graphs)} graphs, expected 1")
        self._check_graph(graphs[0])

    def _check_graph(self, graph: Message) -> None:
        parts: dict[int, list[Message]] = {}
        for number, part in _parts(graph):
            parts.setdefault(number, []).append(part)
        if max(map(len, parts.values()), default=0) > limits.PARTS:
            raise self.unsupported(f"holds more than {limits.PARTS:,} parts of one kind")
        if GRAPH_SPARSE in parts:
            raise self.unsupported("holds sparse tensors; export it with plain ones")
        for tensor in parts.get(GRAPH_INITIALIZER, []):
            name, shape, integers = self._check_tensor(tensor)
            self.shapes[name], self.integers[name] = shape, integers
        # Engines hand these names to Python as str.
        taken, given = (
            [dict(texts(part)).get(NAME, b"").decode() for part in parts.get(number, [])]
            for number in (GRAPH_INPUT, GRAPH_OUTPUT)
        )
        for number in (GRAPH_INPUT, GRAPH_OUTPUT, GRAPH_VALUE):
            for value in parts.get(number, []):
                self._check_declared(value)
        # Files of the first versions list their constants among the inputs.
        free = [name for name in taken if name not in self.shapes]
        if len(free) != 1 or not given:
            raise self.unsupported(f"has {len(free)} inputs and {len(given)} outputs, expected 1; split the model")
        for position, node in enumerate(parts.get(GRAPH_NODE, [])):
            self._check_node(node, f"operator {position}")

    def _check_declared(self, value: Message) -> None:
        """Check the shape that a tensor is declared to have: ONNX Runtime ends the process where sizes overflow."""
        name = dict(texts(value)).get(NAME, b"")[:60].decode(errors="replace")
        elements = 1
        for dimension in _within(value, VALUE_TYPE, TYPE_TENSOR, TENSOR_TYPE_SHAPE, SHAPE_DIMENSION):
            for number, kind, size, part in fields(dimension):
                if number == DIMENSION_NAME and kind == LENGTH_DELIMITED:
                    bytes(part).decode()
                elif number == DIMENSION_SIZE and kind == VARINT:
                    if signed(size) < 0:
                        raise ValueError(f"{name!r} is declared with a size of {signed(size)}")
                    elements *= max(size, 1)
        if elements > limits.TENSOR_BYTES:
            most = limits.TENSOR_BYTES
            raise self.unsupported(f"declares {name!r} with {elements:,} numbers; at most {most:,} are taken")

    def _check_node(self, node: Message, where: str) -> None:
        words = {NODE_OPERATOR: "", NODE_DOMAIN: ""}
        inputs, outputs, attributes = [], [], []
        for number, part in _parts(node):
            if number in words:
                words[number] = bytes(part).decode(errors="replace")
            elif number == NODE_INPUT:
                inputs.append(bytes(part).decode(errors="replace"))
            elif number == NODE_OUTPUT:
                outputs.append(bytes(part).decode(errors="replace"))
            elif number == NODE_ATTRIBUTE:
                attributes.append(part)
        name, domain = words[NODE_OPERATOR], words[NODE_DOMAIN]
        if name not in OPERATORS.get(domain, ()):
            full = f"{domain}.{name}" if domain else name
            raise self.unsupported(
                f"holds an operator that is not let through, {full[:80]!r}; export it with those of image classifiers"
            )
        where = f"{where} ({name})"
        found = dict(self._check_attribute(attribute, where) for attribute in attributes)
        slot = WEIGHTS.get(name)
        weights = self.shapes.get(inputs[slot]) if slot is not None and slot < len(inputs) else None
        if weights and found.get("kernel_shape", weights[2:]) != weights[2:]:
            raise ValueError(f"{where} has kernel_shape {found['kernel_shape']} for weights of {weights}")
        if name == "Constant" and outputs:
            self.integers[outputs[0]] = found.get("value", found.get("value_ints", []))
        if name == "Pad" and len(inputs) > 1:
            self._check_paddings(inputs[1], where)

    def _check_paddings(self, name: str, where: str) -> None:
        """Check how much is padded, where an input says it: ONNX Runtime ends the process on some numbers."""
        counts = self.integers.get(name)
        if counts is None:
            raise self.unsupported(f"computes how much it pads in {where}; export it with constants")
        if any(count not in ATTRIBUTES["pads"] for count in counts):
            raise ValueError(f"{where} pads by {counts[:8]}")

    def _check_attribute(self, attribute: Message, where: str) -> tuple[str, list[int]]:
        """Check an attribute and return its name and its integers, those of a tensor too."""
        name, values = "", []
        for number, kind, value, part in fields(attribute):
            if number == ATTRIBUTE_NAME and kind == LENGTH_DELIMITED:
                name = bytes(part).decode(errors="replace")
            elif number in ATTRIBUTE_GRAPHS:
                raise self.unsupported(f"holds a graph within {where}; export it without branches and loops")
            elif number in ATTRIBUTE_SPARSE:
                raise self.unsupported(f"holds a sparse tensor in {where}; export it with plain ones")
            elif number in (ATTRIBUTE_TENSOR, ATTRIBUTE_TENSORS) and kind == LENGTH_DELIMITED:
                values += self._check_tensor(part)[2]
            elif number in (ATTRIBUTE_INTEGER, ATTRIBUTE_INTEGERS):
                values += [signed(value)] if kind == VARINT else packed(part)
        if name in ATTRIBUTES and any(value not in ATTRIBUTES[name] for value in values):
            raise ValueError(f"{where} has {name} {values[:8]}")
        return name, values

    def _check_tensor(self, tensor: Message) -> tuple[str, list[int], list[int]]:
        """Check that a constant holds what its shape says; return its name, its shape, and its int64 in the file."""
        shape: list[int] = []
        integers: list[int] = []
        dtype, name, raw, outside = 0, b"", None, False
        places: dict[bytes, bytes] = {}
        for number, kind, value, part in fields(tensor):
            if number == TENSOR_DIMS:
                shape += [signed(value)] if kind == VARINT else packed(part)
            elif number == TENSOR_TYPE and kind == VARINT:
                dtype = value
            elif number == TENSOR_INT64:
                integers += [signed(value)] if kind == VARINT else packed(part)
            elif number == TENSOR_NAME and kind == LENGTH_DELIMITED:
                name = bytes(part)
            elif number == TENSOR_RAW and kind == LENGTH_DELIMITED:
                raw = part
            elif number == TENSOR_EXTERNAL and kind == LENGTH_DELIMITED:
                entry = dict(texts(part))
                places[entry.get(1, b"")] = entry.get(2, b"")
                outside = True
            elif number == TENSOR_LOCATION and kind == VARINT:
                outside |= value != 0
        shown = name[:60].decode(errors="replace")
        if dtype not in WIDTHS:
            raise self.unsupported(f"holds numbers of type {dtype} in {shown!r}, which no classifier needs")
        if len(shape) > limits.DIMENSIONS + 2 or any(size < 0 for size in shape):
            raise ValueError(f"{shown!r} has the shape {shape[:8]}")
        needed = math.ceil(math.prod(shape) * WIDTHS[dtype])
        if needed > limits.TENSOR_BYTES:
            raise self.unsupported(f"needs {needed:,} bytes for {shown!r}, at most {limits.TENSOR_BYTES:,} are given")
        if outside:
            self._check_external(places, needed, shown)
        elif raw is not None and len(raw) != needed:
            raise ValueError(f"{shown!r} needs {needed} bytes, it has {len(raw)}")
        if dtype == INT64 and raw is not None and not outside:
            integers = list(struct.unpack(f"<{len(raw) // 8}q", raw))
        return name.decode(errors="replace"), shape, integers

    def _check_external(self, places: dict[bytes, bytes], needed: int, shown: str) -> None:
        """Check that external data is a part of a file that lies in the model's own folder."""
        location = places.get(b"location", b"").decode(errors="replace")
        if not stays_inside(location):
            raise self.unsupported(
                f"keeps {shown!r} outside of its folder, at {location[:80]!r}; such a path is not read"
            )
        folder = Path(self.source).parent
        file = folder / location
        # A link may lead anywhere.
        if not file.resolve().is_relative_to(folder.resolve()):
            raise self.unsupported(f"keeps {shown!r} outside of its folder, where {location[:80]!r} leads to")
        if not file.is_file():
            raise ValueError(f"it keeps {shown!r} in {location[:80]!r}, and there is no such file beside it")
        start, length = (
            int(places.get(key, default)) for key, default in ((b"offset", b"0"), (b"length", b"%d" % needed))
        )
        if start < 0 or length != needed or start + length > file.stat().st_size:
            raise ValueError(f"{shown!r} needs {needed} bytes, {location[:80]!r} does not have them at {start}")


def stays_inside(location: str) -> bool:
    """Whether a path, as POSIX and as Windows read it, stays in the folder that it is taken from."""
    paths = (PurePosixPath(location), PureWindowsPath(location))
    leaves = any(path.anchor or ".." in path.parts for path in paths)
    return bool(location) and not leaves and "\0" not in location


def _within(message: Message, *path: int) -> Iterator[Message]:
    """Yield the messages that a path of field numbers leads to."""
    if not path:
        yield message
        return
    for number, part in _parts(message):
        if number == path[0]:
            yield from _within(part, *path[1:])


def _parts(message: Message) -> Iterator[tuple[int, Message]]:
    """Yield the length-delimited fields of a message."""
    for number, kind, _, content in fields(message):
        if kind == LENGTH_DELIMITED:
            yield number, content
