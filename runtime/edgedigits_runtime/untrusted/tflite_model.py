"""A `.tflite` file as a typed model: every offset, length and index in it is checked, the rest is not interpreted."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactUnsupported
from edgedigits_runtime.untrusted import limits
from edgedigits_runtime.untrusted.flatbuffer import UNKNOWN_FIELD, DamagedFlatbuffer, Table, default, read_flatbuffer
from edgedigits_runtime.untrusted.tflite_schema import (
    DEFAULTS,
    IDENTIFIER,
    MODEL,
    OPERATOR_NAMES,
    OPTIONS,
    SCHEMA_VERSION,
    TYPES,
    WIDTHS,
)

LONGEST_NAME = 200

CONVERSIONS = ("QUANTIZE", "DEQUANTIZE", "CAST")
INTEGERS = {"INT4", "INT8", "UINT8"}

DATA_INPUT = {"SPLIT": 1, "TRANSPOSE_CONV": 2}
"""The input with the activations, where it is not the first."""


@dataclass(frozen=True)
class StoredQuantization:
    """Mapping from stored to real values: real = (stored - zero point) * scale.

    Args:
        scales, zero_points: one for the whole tensor, one for each index along `axis`, or none.
        axis: the dimension along which they differ.
    """

    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    axis: int = 0


@dataclass(frozen=True)
class StoredTensor:
    """An activation, or a constant.

    Args:
        index: its place in the file.
        name: without unprintable characters, cut off at LONGEST_NAME.
        shape: of the file.
        signature: the shape with -1 where a dimension is free; empty where the file has none.
        dtype: such as "INT8"; "type 5" for a number that tflite_schema.TYPES lacks.
        data: the bytes of a constant; empty for an activation.
        quantization: of its values.
        is_variable: whether it keeps its values from one run to the next.
        oddity: a property that changes the meaning of `data`, such as "sparse"; "" where there is none.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    signature: tuple[int, ...]
    dtype: str
    data: memoryview
    quantization: StoredQuantization
    is_variable: bool
    oddity: str

    @property
    def label(self) -> str:
        """The tensor in a message; the converter joins the names of fused layers with semicolons."""
        first = self.name.split(";")[0]
        return f"tensor {self.index} '{first if len(first) <= 60 else f'...{first[-57:]}'}'"

    @property
    def bytes(self) -> int:
        """Bytes of all its values; the type has to be one of tflite_schema.WIDTHS."""
        return math.ceil(math.prod(self.shape) * WIDTHS[self.dtype])


@dataclass(frozen=True)
class StoredOptions:
    """The attributes of an operator.

    Args:
        number: BuiltinOptions; 0 where the operator has none.
        values: by the schema's name, defaults included; None where the file has no table for them, or one of a kind
            that tflite_schema.OPTIONS lacks.
        unknown_field: the slot of a field that this schema lacks; None where there is none.
        is_later_kind: whether the operator has attributes that only a later schema describes.
    """

    number: int
    values: Mapping[str, Any] | None
    unknown_field: int | None = None
    is_later_kind: bool = False

    @property
    def name(self) -> str:
        """The schema's name of these attributes."""
        if self.number in OPTIONS:
            return OPTIONS[self.number][0]
        return f"options {self.number}" if self.number else "no options"


@dataclass(frozen=True)
class OperatorKind:
    """An operator that a file declares: its BuiltinOperator, and a name such as "CONV_2D" or "CUSTOM Mystery"."""

    number: int
    name: str
    version: int


@dataclass(frozen=True)
class StoredOperator:
    """A step of the graph.

    Args:
        inputs, outputs: indices of tensors, -1 for an input that is left out.
        intermediates: of tensors with the quantization of values inside the operator.
    """

    position: int
    kind: OperatorKind
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    intermediates: tuple[int, ...]
    options: StoredOptions

    @property
    def name(self) -> str:
        return self.kind.name

    @property
    def where(self) -> str:
        """The operator in a message."""
        return f"operator {self.position} ({self.name})"


@dataclass(frozen=True)
class StoredModel:
    """The only graph of a file.

    Args:
        source: names the file in messages.
        kinds: all operators that it declares.
        metadata: the bytes of its entries by name.
    """

    source: str
    tensors: tuple[StoredTensor, ...]
    kinds: tuple[OperatorKind, ...]
    operators: tuple[StoredOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    metadata: Mapping[str, memoryview]


def read_model(content: bytes, source: str) -> StoredModel:
    """Return the model of a `.tflite` file's bytes; a contract behind them is ignored.

    Each index in the result exists; edgedigits_runtime.untrusted.tflite.check_model checks operators and shapes.

    Args:
        content: the file.
        source: names the file in messages.

    Raises:
        ArtifactCorrupt: not a TFLite file, a damaged one, or an index that does not exist.
        ArtifactUnsupported: another schema version, several graphs, too many parts, or data outside of the graph.
    """
    try:
        root = read_flatbuffer(content, IDENTIFIER, MODEL)
    except DamagedFlatbuffer as error:
        raise ArtifactCorrupt(f"{source} is not a whole .tflite file: {error}") from error
    return _Reader(root, source).model()


def single_ends(model: StoredModel) -> tuple[StoredTensor, StoredTensor]:
    """Return the input and the output; raise ArtifactUnsupported if there are several or none."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ArtifactUnsupported(
            f"{model.source} has {len(model.inputs)} inputs and {len(model.outputs)} outputs, expected 1 and 1;"
            " split the model"
        )
    return model.tensors[model.inputs[0]], model.tensors[model.outputs[0]]


def corrupt(source: str, problem: str) -> ArtifactCorrupt:
    """Return the error for a file that contradicts itself."""
    return ArtifactCorrupt(f"{source} is not a whole .tflite file: {problem}; copy or export it again")


def data_of(model: StoredModel, operator: StoredOperator) -> StoredTensor | None:
    """Return the tensor that an operator computes on; None where it is left out."""
    slot = DATA_INPUT.get(operator.name, 0)
    index = operator.inputs[slot] if slot < len(operator.inputs) else -1
    return None if index < 0 else model.tensors[index]


def is_hybrid(model: StoredModel, operator: StoredOperator) -> bool:
    """Whether an operator computes on float32 activations and integer weights."""
    data = data_of(model, operator)
    others = {model.tensors[index].dtype for index in operator.inputs if index >= 0}
    return data is not None and data.dtype == "FLOAT32" and bool(others & INTEGERS)


def precision_of(model: StoredModel) -> str:
    """Return "dynamic" (int8 weights, float activations), "int16", "int8", "uint8", "float16" or "float32".

    An integer file may have a float input and output. "float16" is that of the weights.
    """
    if any(is_hybrid(model, operator) for operator in model.operators):
        return "dynamic"
    computing = [operator for operator in model.operators if operator.name not in CONVERSIONS]
    computed = {model.tensors[index].dtype for operator in computing for index in operator.outputs}
    for dtype in ("INT16", "INT8", "UINT8"):
        if dtype in computed:
            return dtype.lower()
    return "float16" if any(tensor.dtype == "FLOAT16" and tensor.data for tensor in model.tensors) else "float32"


class _Reader:
    def __init__(self, root: Table, source: str) -> None:
        self.root = root
        self.source = source
        self.buffers: list[Table] = root.get("buffers", [])

    def model(self) -> StoredModel:
        if (version := self.root.get("version", 0)) != SCHEMA_VERSION:
            raise self._unsupported(f"has schema version {version}, expected {SCHEMA_VERSION}")
        graphs = self.root.get("subgraphs", [])
        if len(graphs) != 1:
            raise self._unsupported(
                f"holds {len(graphs)} subgraphs, expected 1; convert it without branches and loops (recurrent"
                " layers with unroll=True)"
            )
        (graph,) = graphs
        for name, parts in {**self.root, **graph}.items():
            if isinstance(parts, list) and len(parts) > limits.PARTS:
                raise self._unsupported(f"holds {len(parts):,} {name}, at most {limits.PARTS:,} are read")
        self._check_buffers()
        tensors = tuple(self._tensor(index, table) for index, table in enumerate(graph.get("tensors", [])))
        inputs, outputs = graph.get("inputs", ()), graph.get("outputs", ())
        self._check_indices((*inputs, *outputs), len(tensors), "its graph")
        kinds = tuple(map(_kind, self.root.get("operator_codes", [])))
        operators = tuple(
            self._operator(position, table, kinds, len(tensors))
            for position, table in enumerate(graph.get("operators", []))
        )
        self._check_signatures(len(tensors))
        return StoredModel(self.source, tensors, kinds, operators, inputs, outputs, self._metadata())

    def _unsupported(self, problem: str) -> ArtifactUnsupported:
        return ArtifactUnsupported(f"{self.source} {problem}")

    def _check_indices(self, indices: Iterable[int], count: int, where: str, kind: str = "tensor") -> None:
        for index in indices:
            if not 0 <= index < count:
                raise corrupt(self.source, f"{where} refers to {kind} {index} of {count}")

    def _check_buffers(self) -> None:
        if self.root.get("external_buffers") or any(
            buffer.get("size", 0) or buffer.get("offset", 0) > 1 for buffer in self.buffers
        ):
            raise self._unsupported("keeps data outside of its graph; convert it with its weights inside")

    def _metadata(self) -> dict[str, memoryview]:
        entries = {entry.get("name", ""): entry.get("buffer", 0) for entry in self.root.get("metadata", [])}
        indices = (*self.root.get("metadata_buffer", ()), *entries.values())
        self._check_indices(indices, len(self.buffers), "its metadata", "buffer")
        return {name: memoryview(self.buffers[index].get("data", b"")) for name, index in entries.items()}

    def _check_signatures(self, tensors: int) -> None:
        for signature in self.root.get("signature_defs", []):
            self._check_indices([signature.get("subgraph_index", 0)], 1, "a signature", "subgraph")
            ends = [*signature.get("inputs", []), *signature.get("outputs", [])]
            self._check_indices((end.get("tensor_index", 0) for end in ends), tensors, "a signature")

    def _tensor(self, index: int, table: Table) -> StoredTensor:
        number, shape = table.get("type", 0), table.get("shape", ())
        buffer, quantization = table.get("buffer", 0), table.get("quantization", {})
        self._check_indices([buffer], len(self.buffers), f"tensor {index}", "buffer")
        if len(shape) > limits.DIMENSIONS:
            raise corrupt(self.source, f"tensor {index} has the shape {format_shape(shape)}")
        oddities = {
            "sparse": "sparsity" in table,
            "stored outside of the file": bool(table.get("external_buffer")),
            "a variant": bool(table.get("variant_tensors")),
            "quantized in a custom way": bool(quantization.get("details_type")),
        }
        return StoredTensor(
            index,
            printable(table.get("name", "")),
            shape,
            table.get("shape_signature", ()),
            TYPES.get(number, f"type {number}"),
            memoryview(self.buffers[buffer].get("data", b"")),
            StoredQuantization(
                quantization.get("scale", ()),
                quantization.get("zero_point", ()),
                quantization.get("quantized_dimension", 0),
            ),
            bool(table.get("is_variable")),
            next((oddity for oddity, present in oddities.items() if present), ""),
        )

    def _operator(self, position: int, table: Table, kinds: tuple[OperatorKind, ...], tensors: int) -> StoredOperator:
        number = table.get("opcode_index", 0)
        self._check_indices([number], len(kinds), f"operator {position}", "kind")
        inputs, outputs = table.get("inputs", ()), table.get("outputs", ())
        intermediates = table.get("intermediates", ())
        made = StoredOperator(position, kinds[number], inputs, outputs, intermediates, _options(table))
        given = (index for index in inputs if index != -1)
        self._check_indices((*given, *outputs, *intermediates), tensors, made.where)
        return made


def _kind(code: Table) -> OperatorKind:
    # Files older than schema 3a keep the code in the first, one-byte field.
    number = max(code.get("builtin_code", 0), code.get("deprecated_builtin_code", 0))
    known = 0 <= number < len(OPERATOR_NAMES)
    name = OPERATOR_NAMES[number] if known else f"builtin operator {number}"
    if name == "CUSTOM":
        name = f"CUSTOM {printable(code.get('custom_code', ''))[:60]}".strip()
    return OperatorKind(number, name, code.get("version", 1))


def format_shape(shape: tuple[int, ...]) -> str:
    """Return a shape for a message, without what is beyond eight dimensions."""
    return f"{list(shape[:8])}{'...' if len(shape) > 8 else ''}"


def _options(table: Table) -> StoredOptions:
    number, stored = table.get("builtin_options_type", 0), table.get("builtin_options")
    is_later_kind = bool(table.get("builtin_options_2_type") or table.get("large_custom_options_size"))
    if stored is None:
        return StoredOptions(number, None, is_later_kind=is_later_kind)
    fields = OPTIONS[number][1].fields
    values = {name: stored.get(name, DEFAULTS.get(name, default(kind))) for _, name, kind in fields}
    return StoredOptions(number, values, stored.get(UNKNOWN_FIELD), is_later_kind)


def printable(name: str) -> str:
    """Return a text without unprintable characters, cut off at LONGEST_NAME."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:LONGEST_NAME])
