"""A `.tflite` file as plain records, nothing interpreted yet: where lying offsets and missing parts are found."""

import contextlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactUnsupported

IDENTIFIER = b"TFL3"
SCHEMA_VERSION = 3
SHORTEST = 16
"""Root offset, identifier, and the smallest table."""
MOST = 10_000
"""Tensors, operators or buffers; a damaged count may say four thousand million."""
LONGEST_NAME = 200
LONGEST_SHAPE = 100
"""Dimensions of a tensor, inputs or outputs of an operator."""

DAMAGED_FLATBUFFER = (struct.error, TypeError, ValueError, IndexError, OverflowError)
"""What flatbuffers and NumPy raise on offsets, lengths and counts that point out of the file."""


@dataclass(frozen=True)
class StoredTensor:
    """A tensor as the file describes it.

    Args:
        label: what to call it in messages.
        name: cut off where it is very long.
        shape: of the file; signature is -1 where a dimension is free, and empty where the file has none.
        dtype: as the schema calls it, such as "INT8".
        content: uint8, the bytes of a constant; empty for what operators make.
        scales, zero_points, axis: quantization; empty where there is none.
        oddity: a property that changes what the content means, such as "sparse"; "" where there is none.
    """

    label: str
    name: str
    shape: tuple[int, ...]
    signature: tuple[int, ...]
    dtype: str
    content: NDArray[np.uint8]
    scales: NDArray[np.float32]
    zero_points: NDArray[np.int64]
    axis: int
    oddity: str


@dataclass(frozen=True)
class StoredOperator:
    """An operator as the file describes it.

    Args:
        where: the file, the position and the name, for messages.
        name: as the schema calls it; "CUSTOM" with its own name behind it.
        version: of the operator's definition.
        position: its place in the list.
        inputs: indices of tensors, -1 for one that is left out.
        outputs: indices of tensors.
        options_type: as the schema calls it, "NONE" where there are none.
        options: attributes by name; empty for types not in KNOWN_OPTIONS.
    """

    where: str
    name: str
    version: int
    position: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options_type: str
    options: dict[str, Any]


@dataclass(frozen=True)
class StoredModel:
    """The one graph of a file."""

    source: str
    tensors: tuple[StoredTensor, ...]
    operators: tuple[StoredOperator, ...]
    input: int
    output: int


KNOWN_OPTIONS = (
    "AddOptions",
    "CastOptions",
    "Conv2DOptions",
    "DepthwiseConv2DOptions",
    "ExpandDimsOptions",
    "FullyConnectedOptions",
    "PackOptions",
    "PadOptions",
    "PadV2Options",
    "Pool2DOptions",
    "QuantizeOptions",
    "ReducerOptions",
    "ReshapeOptions",
    "ShapeOptions",
    "SoftmaxOptions",
    "SqueezeOptions",
    "StridedSliceOptions",
)


def load_model(content: bytes, source: str) -> StoredModel:
    """Take a `.tflite` file's bytes apart; `source` names the file in messages.

    Raises:
        ArtifactCorrupt: no TFLite file, or a damaged one.
        ArtifactUnsupported: several graphs, inputs or outputs.
    """
    if len(content) < SHORTEST or content[4:8] != IDENTIFIER:
        what = "is empty" if not content else f"is no TFLite file: it lacks the identifier {IDENTIFIER.decode()}"
        raise ArtifactCorrupt(f"{source} {what}; give an int8 .tflite file")
    with _readable(source):
        return _Loader(content, source).model()


@contextlib.contextmanager
def _readable(source: str) -> Iterator[None]:
    try:
        yield
    except DAMAGED_FLATBUFFER as error:
        raise ArtifactCorrupt(
            f"{source} is damaged, it says of itself what cannot be ({error}); copy or export it again"
        ) from error


class _Loader:
    def __init__(self, content: bytes, source: str) -> None:
        from ai_edge_litert import schema_py_generated as schema

        self.schema: Any = schema
        self.content = content
        self.source = source
        self.root: Any = schema.Model.GetRootAs(content, 0)

    def model(self) -> StoredModel:
        if self.root.Version() != SCHEMA_VERSION:
            raise ArtifactUnsupported(
                f"{self.source} has schema version {self.root.Version()}, expected {SCHEMA_VERSION}; convert it again"
            )
        if self.root.SubgraphsLength() != 1:
            raise ArtifactUnsupported(
                f"{self.source} holds {self.root.SubgraphsLength()} subgraphs, expected 1; convert it without"
                " branches and loops"
            )
        graph = self.root.Subgraphs(0)
        tensor_names = _names(self.schema.TensorType)
        tensors = [self._tensor(graph.Tensors(index), index, tensor_names) for index in self._range(graph, "Tensors")]
        operator_names = self._operator_names()
        options_names = _names(self.schema.BuiltinOptions)
        operators = [
            self._operator(graph.Operators(position), position, operator_names, options_names, len(tensors))
            for position in self._range(graph, "Operators")
        ]
        border = [self._border(graph, kind, len(tensors)) for kind in ("Inputs", "Outputs")]
        return StoredModel(self.source, tuple(tensors), tuple(operators), *border)

    def _range(self, table: Any, field: str) -> range:
        count = getattr(table, f"{field}Length")()
        if count > MOST:
            raise ArtifactCorrupt(f"{self.source} says that it holds {count} {field.lower()}, at most {MOST} are read")
        return range(count)

    def _border(self, graph: Any, kind: str, tensors: int) -> int:
        count = getattr(graph, f"{kind}Length")()
        if count != 1:
            raise ArtifactUnsupported(f"{self.source} has {count} {kind.lower()}, expected 1; split the model")
        index = int(getattr(graph, kind)(0))
        self._check_index(index, tensors, f"{self.source}: its {kind.lower()}")
        return index

    def _check_index(self, index: int, tensors: int, where: str) -> None:
        if not 0 <= index < tensors:
            raise ArtifactCorrupt(f"{where}: there is no tensor {index}, the file has {tensors}; export it again")

    def _operator_names(self) -> list[tuple[str, int]]:
        names = _names(self.schema.BuiltinOperator)
        found = []
        for index in self._range(self.root, "OperatorCodes"):
            code = self.root.OperatorCodes(index)
            # Files older than schema 3a keep the code in the first, one-byte field.
            number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
            name = names.get(number, f"builtin operator {number}")
            if name == "CUSTOM":
                name = f"CUSTOM {_short(_text(code.CustomCode()))}"
            found.append((name, code.Version()))
        return found

    def _operator(
        self, operator: Any, position: int, names: list[tuple[str, int]], options_names: dict[int, str], tensors: int
    ) -> StoredOperator:
        place = f"{self.source}: operator {position}"
        if operator.OpcodeIndex() >= len(names):
            raise ArtifactCorrupt(f"{place} is of kind {operator.OpcodeIndex()}, the file names {len(names)} kinds")
        name, version = names[operator.OpcodeIndex()]
        where = f"{place} ({name})"
        inputs = _integers(operator, "Inputs")
        outputs = _integers(operator, "Outputs")
        for index in (*(index for index in inputs if index != -1), *outputs):
            self._check_index(index, tensors, where)
        options_type = options_names.get(operator.BuiltinOptionsType(), "unknown options")
        if operator.BuiltinOptions2Type():
            options_type = "options of a later kind"
        union = operator.BuiltinOptions()
        if union is None and not operator.BuiltinOptions2Type():
            options_type = "NONE"
        options = self._options(union, options_type, where)
        return StoredOperator(where, name, version, position, inputs, outputs, options_type, options)

    def _options(self, union: Any, options_type: str, where: str) -> dict[str, Any]:
        if union is None or options_type not in KNOWN_OPTIONS:
            return {}
        table = getattr(self.schema, options_type)()
        table.Init(union.Bytes, union.Pos)
        options: dict[str, Any] = vars(getattr(self.schema, f"{options_type}T").InitFromObj(table))
        # A field of a later schema changes the operator in a way that nobody here knows of.
        unknown = [slot for slot in self._filled_slots(union) if slot >= len(options)]
        if unknown:
            raise ArtifactUnsupported(
                f"{where} has an attribute that this edgedigits does not know (field {unknown[0]} of {options_type});"
                " convert it with an older TensorFlow, or update edgedigits"
            )
        return options

    def _filled_slots(self, table: Any) -> list[int]:
        """Which fields of a flatbuffer table are filled in; its vtable holds two sizes and then an offset for each."""
        number_types = self.schema.flatbuffers.number_types
        vtable = table.Pos - table.Get(number_types.SOffsetTFlags, table.Pos)
        length = table.Get(number_types.VOffsetTFlags, vtable)
        return [slot for slot in range((length - 4) // 2) if table.Offset(4 + 2 * slot)]

    def _tensor(self, tensor: Any, index: int, type_names: dict[int, str]) -> StoredTensor:
        name = _text(tensor.Name())
        label = f"tensor {index} '{_short(name)}'"
        quantization = tensor.Quantization()
        return StoredTensor(
            label,
            name,
            _integers(tensor, "Shape"),
            _integers(tensor, "ShapeSignature"),
            type_names.get(tensor.Type(), f"type {tensor.Type()}"),
            self._bytes(tensor.Buffer(), label),
            _array(quantization, "Scale", np.float32),
            _array(quantization, "ZeroPoint", np.int64),
            quantization.QuantizedDimension() if quantization else 0,
            self._oddity(tensor),
        )

    def _bytes(self, index: int, label: str) -> NDArray[np.uint8]:
        count = self.root.BuffersLength()
        if index >= count:
            raise ArtifactCorrupt(f"{self.source}: {label} refers to buffer {index} of {count}; export it again")
        return _array(self.root.Buffers(index), "Data", np.uint8)

    def _oddity(self, tensor: Any) -> str:
        buffer = self.root.Buffers(tensor.Buffer())
        quantization = tensor.Quantization()
        oddities = {
            "sparse": tensor.Sparsity() is not None,
            "a variable": tensor.IsVariable(),
            "quantized in a custom way": quantization is not None and quantization.DetailsType() != 0,
            "stored outside the graph": bool(buffer.Size() or tensor.ExternalBuffer()),
        }
        return next((oddity for oddity, present in oddities.items() if present), "")


def _names(enumeration: Any) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


def _text(name: bytes | None) -> str:
    text = (name or b"")[:LONGEST_NAME].decode(errors="replace")
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _short(name: str) -> str:
    """The converter strings all the names together that it fused; the first few letters tell."""
    first = name.split(";")[0]
    return first if len(first) <= 60 else f"...{first[-57:]}"


def _array(table: Any, field: str, dtype: Any) -> NDArray[Any]:
    if table is None or getattr(table, f"{field}IsNone")() or getattr(table, f"{field}Length")() == 0:
        return np.zeros(0, dtype)
    array: NDArray[Any] = getattr(table, f"{field}AsNumpy")()
    return array


def _integers(table: Any, field: str) -> tuple[int, ...]:
    array = _array(table, field, np.int32)
    if array.size > LONGEST_SHAPE:
        raise ValueError(f"{field} holds {array.size} numbers")
    return tuple(int(value) for value in array)
