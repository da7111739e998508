"""An `.onnx` file as a typed model: the structure is checked, the meaning is not.

The messages are those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). Functions, training,
graphs in a graph and sparse tensors have no place in the model; a file with any of them is refused.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edgedigits_runtime.contract import Tensor
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactUnsupported
from edgedigits_runtime.untrusted import limits
from edgedigits_runtime.untrusted.protobuf import (
    LENGTH_DELIMITED,
    VARINT,
    Message,
    delimited,
    fields,
    packed,
    signed,
    spans,
    texts,
)
from edgedigits_runtime.untrusted.stated import Stated

MODEL_GRAPH, MODEL_OPSET, MODEL_METADATA, MODEL_TRAINING, MODEL_FUNCTIONS = 7, 8, 14, 20, 25
OPSET_DOMAIN, OPSET_VERSION = 1, 2
GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_INPUT, GRAPH_OUTPUT, GRAPH_VALUE, GRAPH_SPARSE = 1, 5, 11, 12, 13, 15
VALUE_NAME, VALUE_TYPE, TYPE_TENSOR, TENSOR_TYPE_ELEMENT, TENSOR_TYPE_SHAPE = 1, 2, 1, 1, 2
SHAPE_DIMENSION, DIMENSION_SIZE, DIMENSION_NAME = 1, 1, 2
NODE_INPUT, NODE_OUTPUT, NODE_OPERATOR, NODE_ATTRIBUTE, NODE_DOMAIN = 1, 2, 4, 5, 7
ATTRIBUTE_NAME, ATTRIBUTE_INTEGER, ATTRIBUTE_TENSOR, ATTRIBUTE_INTEGERS, ATTRIBUTE_TENSORS = 1, 3, 5, 8, 10
ATTRIBUTE_GRAPHS, ATTRIBUTE_SPARSE = (6, 11), (22, 23)
TENSOR_DIMS, TENSOR_TYPE, TENSOR_FLOAT, TENSOR_INT32, TENSOR_INT64, TENSOR_NAME = 1, 2, 4, 5, 7, 8
TENSOR_RAW, TENSOR_EXTERNAL, TENSOR_LOCATION = 9, 13, 14
INTEGERS = {6: "<i", 7: "<q"}
"""The struct format of int32 and int64."""

IN_ANOTHER_FILE = (TENSOR_EXTERNAL, TENSOR_LOCATION)

Tree = dict[int, "Tree | None"]
TENSORS: Tree = {
    MODEL_GRAPH: {
        GRAPH_INITIALIZER: None,
        GRAPH_NODE: {NODE_ATTRIBUTE: {ATTRIBUTE_TENSOR: None, ATTRIBUTE_TENSORS: None}},
    }
}
"""Where a model has tensors."""

KEY, VALUE = 1, 2

_NAMES = """undefined float32 uint8 int8 uint16 int16 int32 int64 string bool float16 float64 uint32 uint64 complex64
complex128 bfloat16"""
DTYPES = {**dict(enumerate(_NAMES.split())), 21: "uint4", 22: "int4"}
"""TensorProto.DataType."""


@dataclass(frozen=True, eq=False)
class Constant:
    """A tensor whose numbers are in the file, or in a file beside it.

    Attributes:
        dtype: of DTYPES, or "type 5" for another one.
        raw: little-endian numbers; None where they are in another file, or in fields of their own and not float32.
        integers: the numbers, where the dtype is int64 or int32 and they are in this file.
        external: keys and values that locate the numbers in another file; None if they are in this one.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    raw: Message | None
    integers: tuple[int, ...]
    external: dict[str, str] | None


@dataclass(frozen=True, eq=False)
class Value:
    """An activation whose type is declared; its shape has None for a size without a number, and is () if unknown."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, eq=False)
class Attribute:
    """A setting of an operator: its integers, those of its tensors included, and its tensors."""

    name: str
    integers: tuple[int, ...]
    constants: tuple[Constant, ...]


@dataclass(frozen=True, eq=False)
class Node:
    """An operator, with the names of what it reads and writes."""

    operator: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, eq=False)
class OnnxModel:
    """The graph of a file.

    Attributes:
        inputs: without constants, which files of the first versions list among them.
        values: the activations that are neither input nor output.
        opset: the version of ONNX's own operators; None where the file states none.
    """

    nodes: tuple[Node, ...]
    constants: tuple[Constant, ...]
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    values: tuple[Value, ...]
    opset: int | None


def read_metadata(content: bytes) -> dict[str, str]:
    """Return the metadata of an `.onnx` file; nothing else in it is checked.

    Raises:
        ValueError: the bytes are no whole message.
    """
    found = {}
    for number, part in _parts(memoryview(content)):
        if number == MODEL_METADATA:
            entry = dict(texts(part))
            found[entry.get(KEY, b"").decode()] = entry.get(VALUE, b"").decode()
    return found


def with_metadata(content: bytes, key: str, text: str) -> bytes:
    """Return an `.onnx` file's bytes with one metadata entry added, in place of an earlier one with that key.

    Raises:
        ValueError: the bytes are no whole message.
    """
    kept = bytearray()
    for start, end, number, part in spans(content):
        if number != MODEL_METADATA or dict(texts(part)).get(KEY) != key.encode():
            kept += content[start:end]
    entry = delimited(KEY, key.encode()) + delimited(VALUE, text.encode())
    return bytes(kept) + delimited(MODEL_METADATA, entry)


def with_data_inside(content: bytes, folder: Path) -> bytes:
    """Return a checked `.onnx` file's bytes with the numbers that it keeps in other files of its folder."""

    def inside(message: Message, tree: Tree | None) -> bytes:
        if tree is None:
            return _with_numbers(message, folder)
        return b"".join(
            delimited(number, inside(part, tree[number])) if number in tree else bytes(message[start:end])
            for start, end, number, part in spans(message)
        )

    return inside(content, TENSORS)


def _with_numbers(tensor: Message, folder: Path) -> bytes:
    """Return a tensor whose numbers are in it."""
    external = _constant(tensor).external
    if external is None:
        return bytes(tensor)
    start, length = int(external.get("offset", "0")), external.get("length")
    numbers = (folder / external["location"]).read_bytes()[start:][: None if length is None else int(length)]
    kept = (tensor[start:end] for start, end, number, _ in spans(tensor) if number not in IN_ANOTHER_FILE)
    return b"".join([*kept, delimited(TENSOR_RAW, numbers)])


def read_model(content: bytes, source: str) -> OnnxModel:
    """Read the bytes of an `.onnx` file; `source` names it in messages.

    Raises:
        ArtifactCorrupt: damaged, or no `.onnx` file.
        ArtifactUnsupported: it holds functions, training, graphs in a graph, sparse tensors or too many parts.
    """
    try:
        parts = list(_parts(memoryview(content)))
        numbers = {number for number, _ in parts}
        if MODEL_FUNCTIONS in numbers:
            raise ArtifactUnsupported(f"{source} defines functions of its own; export it with them inlined")
        if MODEL_TRAINING in numbers:
            raise ArtifactUnsupported(f"{source} holds a training graph; export it for inference")
        graphs = [part for number, part in parts if number == MODEL_GRAPH]
        # Protocol Buffers would merge two graphs.
        if len(graphs) != 1:
            raise ValueError(f"it holds {len(graphs)} graphs, expected 1")
        return _graph(graphs[0], source, _opset(part for number, part in parts if number == MODEL_OPSET))
    except ValueError as error:
        raise ArtifactCorrupt(f"{source} is not a whole .onnx file: {error}") from error


def read_stated(content: bytes, source: str) -> Stated:
    """Return what the bytes of an `.onnx` file state; its operators are not checked.

    Args:
        content: the file.
        source: names the file in messages.

    Raises:
        ArtifactCorrupt: damaged, or no `.onnx` file.
        ArtifactUnsupported: it has several inputs or outputs; see read_model.
    """
    model = read_model(content, source)
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ArtifactUnsupported(
            f"{source} has {len(model.inputs)} inputs and {len(model.outputs)} outputs, expected 1 and 1;"
            " export the part that is a classifier; if integers repeat its decision, edgedigits import leaves them out"
        )
    taken, made = (Tensor(value.name, value.shape, value.dtype) for value in (*model.inputs, *model.outputs))
    return Stated(taken, made, opset=model.opset)


def _opset(imports: Iterable[Message]) -> int | None:
    for message in imports:
        domain, version = "", None
        for number, kind, value, part in fields(message):
            if number == OPSET_DOMAIN and kind == LENGTH_DELIMITED:
                domain = _text(part)
            elif number == OPSET_VERSION and kind == VARINT:
                version = signed(value)
        if domain in ("", "ai.onnx"):
            return version
    return None


def _graph(graph: Message, source: str, opset: int | None) -> OnnxModel:
    parts: dict[int, list[Message]] = {}
    for number, part in _parts(graph):
        parts.setdefault(number, []).append(part)
    if max(map(len, parts.values()), default=0) > limits.PARTS:
        raise ArtifactUnsupported(f"{source} holds more than {limits.PARTS:,} parts of one kind")
    if GRAPH_SPARSE in parts:
        raise ArtifactUnsupported(f"{source} holds sparse tensors; export it with plain ones")
    constants = tuple(map(_constant, parts.get(GRAPH_INITIALIZER, [])))
    # Engines pass the names of inputs and outputs to Python as str.
    inputs, outputs, values = (
        tuple(_value(part, errors) for part in parts.get(number, []))
        for number, errors in ((GRAPH_INPUT, "strict"), (GRAPH_OUTPUT, "strict"), (GRAPH_VALUE, "replace"))
    )
    names = {constant.name for constant in constants}
    return OnnxModel(
        nodes=tuple(_node(part, f"{source} holds", k) for k, part in enumerate(parts.get(GRAPH_NODE, []))),
        constants=constants,
        inputs=tuple(value for value in inputs if value.name not in names),
        outputs=outputs,
        values=(*values, *(value for value in inputs if value.name in names)),
        opset=opset,
    )


def _value(value: Message, errors: str) -> Value:
    name = dict(texts(value)).get(VALUE_NAME, b"").decode(errors=errors)
    shape, dtype = list[int | None](), 0
    for tensor in _within(value, VALUE_TYPE, TYPE_TENSOR):
        dtype = next((found for number, _, found, _ in fields(tensor) if number == TENSOR_TYPE_ELEMENT), dtype)
        for dimension in _within(tensor, TENSOR_TYPE_SHAPE, SHAPE_DIMENSION):
            shape.append(None)
            for number, kind, size, part in fields(dimension):
                if number == DIMENSION_NAME and kind == LENGTH_DELIMITED:
                    bytes(part).decode()
                elif number == DIMENSION_SIZE and kind == VARINT:
                    shape[-1] = signed(size)
    return Value(name, _dtype(dtype), tuple(shape))


def _node(node: Message, holds: str, position: int) -> Node:
    found: dict[int, list[Message]] = {}
    for number, part in _parts(node):
        found.setdefault(number, []).append(part)
    words = {number: tuple(map(_text, found.get(number, []))) for number in (NODE_INPUT, NODE_OUTPUT)}
    operator, domain = (_text(found.get(number, [b""])[-1]) for number in (NODE_OPERATOR, NODE_DOMAIN))
    where = f"operator {position} ({operator[:80]})"
    attributes = tuple(_attribute(part, holds, where) for part in found.get(NODE_ATTRIBUTE, []))
    return Node(operator, domain, words[NODE_INPUT], words[NODE_OUTPUT], attributes)


def _attribute(attribute: Message, holds: str, where: str) -> Attribute:
    name, integers, constants = "", list[int](), list[Constant]()
    for number, kind, value, part in fields(attribute):
        if number == ATTRIBUTE_NAME and kind == LENGTH_DELIMITED:
            name = _text(part)
        elif number in ATTRIBUTE_GRAPHS:
            raise ArtifactUnsupported(f"{holds} a graph within {where}; export it without branches and loops")
        elif number in ATTRIBUTE_SPARSE:
            raise ArtifactUnsupported(f"{holds} a sparse tensor in {where}; export it with plain ones")
        elif number in (ATTRIBUTE_TENSOR, ATTRIBUTE_TENSORS) and kind == LENGTH_DELIMITED:
            constants.append(_constant(part))
            integers += constants[-1].integers
        elif number in (ATTRIBUTE_INTEGER, ATTRIBUTE_INTEGERS):
            integers += _integers(kind, value, part)
    return Attribute(name, tuple(integers), tuple(constants))


def _constant(tensor: Message) -> Constant:
    shape, integers, floats, external = list[int](), list[int](), list[Message](), dict[str, str]()
    dtype, name, raw, outside = 0, "", None, False
    for number, kind, value, part in fields(tensor):
        if number == TENSOR_DIMS:
            shape += _integers(kind, value, part)
        elif number == TENSOR_TYPE and kind == VARINT:
            dtype = value
        elif number == TENSOR_FLOAT and kind == LENGTH_DELIMITED:
            floats.append(part)
        elif number in (TENSOR_INT32, TENSOR_INT64):
            integers += _integers(kind, value, part)
        elif number == TENSOR_NAME and kind == LENGTH_DELIMITED:
            name = _text(part)
        elif number == TENSOR_RAW and kind == LENGTH_DELIMITED:
            raw = part
        elif number == TENSOR_EXTERNAL and kind == LENGTH_DELIMITED:
            entry = dict(texts(part))
            external[_text(entry.get(KEY, b""))] = _text(entry.get(VALUE, b""))
            outside = True
        elif number == TENSOR_LOCATION and kind == VARINT:
            outside |= value != 0
    if raw is None and floats and dtype == 1:
        # A packed field of float32 has the bytes that raw data would have.
        raw = memoryview(b"".join(floats))
    if dtype in INTEGERS and raw is not None and not outside:
        width = struct.calcsize(INTEGERS[dtype])
        integers = [number for (number,) in struct.iter_unpack(INTEGERS[dtype], raw[: len(raw) // width * width])]
    return Constant(
        name, _dtype(dtype), tuple(shape), None if outside else raw, tuple(integers), external if outside else None
    )


def _dtype(number: int) -> str:
    return DTYPES.get(number, f"type {number}")


def _integers(kind: int, value: int, content: Message) -> list[int]:
    """Return a repeated int64: a varint, or a packed field."""
    return [signed(value)] if kind == VARINT else packed(content)


def _text(content: Message) -> str:
    return bytes(content).decode(errors="replace")


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
