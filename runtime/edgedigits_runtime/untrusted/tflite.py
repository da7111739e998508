"""Check a `.tflite` file before LiteRT sees it: its offsets, its indices, its sizes and its operators."""

import math
from collections.abc import Iterable
from typing import Any

from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactUnsupported
from edgedigits_runtime.untrusted import limits
from edgedigits_runtime.untrusted.flatbuffer import DamagedFlatbuffer, Table, read_flatbuffer
from edgedigits_runtime.untrusted.tflite_schema import (
    ACTIVATIONS,
    COUNTS,
    CUSTOM,
    IDENTIFIER,
    MODEL,
    OPERATORS,
    OPTIONS,
    PADDINGS,
    SCHEMA_VERSION,
    WIDTHS,
    ZERO_POINTS,
    Known,
)
from edgedigits_runtime.untrusted.tflite_shapes import check_output_shape
from edgedigits_runtime.untrusted.tflite_types import types_fit

ALLOWED = {
    "padding": PADDINGS,
    "fused_activation_function": ACTIVATIONS,
    "weights_format": range(2),
    "stride_w": COUNTS,
    "stride_h": COUNTS,
    "dilation_w_factor": COUNTS,
    "dilation_h_factor": COUNTS,
    "filter_width": COUNTS,
    "filter_height": COUNTS,
    "depth_multiplier": COUNTS,
    "values_count": COUNTS,
    "radius": COUNTS,
}
"""Attributes of any operator that a kernel computes with unasked, and what they may be."""

NEEDED = ("stride_w", "stride_h", "filter_width", "filter_height", "values_count", "radius")
"""Those of ALLOWED whose default, where a file leaves them out, is a 0 that they may not be."""

SMALLEST_SCALE = 1e-12
"""Of an activation; images and what is made of them have 1e-5 to 10. LiteRT ended the process on 1e-45."""

SMALLEST_CONSTANT_SCALE = 1e-30
"""Of weights, which may all but vanish."""

SMALLEST_STEP = 2.0**-20
"""Of a softmax: LiteRT wants more than 2**-26 (kernels/internal/quantization_util.cc, PreprocessSoftmaxScaling)."""


def check(content: bytes, source: str) -> None:
    """Check the bytes of a `.tflite` file; a contract behind them does not matter.

    Args:
        content: the file.
        source: names the file in messages.

    Raises:
        ArtifactCorrupt: it is none, or says of itself what cannot be.
        ArtifactUnsupported: it is whole, but holds what is not let through: an operator that is not in OPERATORS,
            several graphs or inputs, sparse or variable tensors, data outside of the graph.
    """
    try:
        model = read_flatbuffer(content, IDENTIFIER, MODEL)
    except DamagedFlatbuffer as error:
        raise ArtifactCorrupt(f"{source} is not a whole .tflite file: {error}") from error
    _Checker(model, source).check()


class _Checker:
    def __init__(self, model: Table, source: str) -> None:
        self.model = model
        self.source = source
        self.buffers: list[Table] = model.get("buffers", [])
        graphs = model.get("subgraphs", [])
        self.graph: Table = graphs[0] if graphs else {}
        self.tensors: list[Table] = self.graph.get("tensors", [])

    def check(self) -> None:
        if self.model.get("version", 0) != SCHEMA_VERSION:
            raise self.unsupported(f"has schema version {self.model.get('version', 0)}, expected {SCHEMA_VERSION}")
        count = len(self.model.get("subgraphs", []))
        if count != 1:
            raise self.unsupported(f"holds {count} subgraphs, expected 1; convert it without branches and loops")
        for name, parts in {**self.model, **self.graph}.items():
            if isinstance(parts, list) and len(parts) > limits.PARTS:
                raise self.unsupported(f"holds {len(parts):,} {name}, at most {limits.PARTS:,} are read")
        self._check_store()
        for index, tensor in enumerate(self.tensors):
            self._check_tensor(tensor, f"tensor {index}")
        if sum(map(self._size, self.tensors)) > limits.ACTIVATIONS_BYTES:
            raise self.unsupported(f"needs more than {limits.ACTIVATIONS_BYTES:,} bytes for its activations")
        self._check_graph()
        self._check_signatures()

    def corrupt(self, what: str) -> ArtifactCorrupt:
        return ArtifactCorrupt(f"{self.source} is not a whole .tflite file: {what}; copy or export it again")

    def unsupported(self, what: str) -> ArtifactUnsupported:
        return ArtifactUnsupported(f"{self.source} {what}")

    def _check_store(self) -> None:
        if self.model.get("external_buffers") or any(
            buffer.get("size", 0) or buffer.get("offset", 0) > 1 for buffer in self.buffers
        ):
            raise self.unsupported("keeps data outside of its graph; convert it with its weights inside")
        numbers = [
            *self.model.get("metadata_buffer", ()),
            *(m.get("buffer", 0) for m in self.model.get("metadata", [])),
        ]
        self._check_indices(numbers, len(self.buffers), "its metadata", "buffer")

    def _check_indices(self, indices: Iterable[int], count: int, where: str, what: str = "tensor") -> None:
        for index in indices:
            if not 0 <= index < count:
                raise self.corrupt(f"{where} refers to {what} {index} of {count}")

    def _check_tensor(self, tensor: Table, where: str) -> None:
        kind = tensor.get("type", 0)
        if kind not in WIDTHS:
            raise self.unsupported(f"holds numbers of type {kind} in {where}, which no classifier needs")
        for oddity, present in (
            ("sparse", "sparsity" in tensor),
            ("a variable", tensor.get("is_variable")),
            ("stored outside of the file", tensor.get("external_buffer")),
            ("a variant", tensor.get("variant_tensors")),
        ):
            if present:
                raise self.unsupported(f"holds a tensor that is {oddity}, {where}; convert it to plain tensors")
        shape, signature = tensor.get("shape", ()), tensor.get("shape_signature", ())
        if len(shape) > limits.DIMENSIONS or any(size < 1 for size in shape):
            raise self.corrupt(f"{where} has the shape {_shown(shape)}")
        if signature and not _fits(signature, shape):
            raise self.corrupt(f"{where} has the shape {_shown(shape)} and the signature {_shown(signature)}")
        self._check_indices([tensor.get("buffer", 0)], len(self.buffers), where, "buffer")
        stored, needed = len(self._data(tensor)), _bytes(tensor)
        if needed > limits.TENSOR_BYTES:
            raise self.unsupported(f"needs {needed:,} bytes for {where}, at most {limits.TENSOR_BYTES:,} are given")
        if stored and stored != needed:
            raise self.corrupt(f"{where} needs {needed} bytes, its buffer has {stored}")
        self._check_quantization(tensor, bool(stored), where)

    def _check_quantization(self, tensor: Table, constant: bool, where: str) -> None:
        quantization, shape = tensor.get("quantization", {}), tensor.get("shape", ())
        scales, zero_points = quantization.get("scale", ()), quantization.get("zero_point", ())
        if quantization.get("details_type", 0):
            raise self.unsupported(f"quantizes {where} in a way of its own")
        axis = quantization.get("quantized_dimension", 0)
        counts = {0, 1, shape[axis] if 0 <= axis < len(shape) else 1}
        if len(scales) not in counts or len(zero_points) not in (0, len(scales)):
            raise self.corrupt(f"{where} has {len(scales)} scales and {len(zero_points)} zero points")
        least = SMALLEST_CONSTANT_SCALE if constant else SMALLEST_SCALE
        wrong = [scale for scale in scales if not least <= scale <= 1 / SMALLEST_SCALE]
        if wrong:
            raise self.corrupt(f"{where} has the scale {wrong[0]:g}")
        allowed = ZERO_POINTS.get(tensor.get("type", 0), range(1))
        outside = [zero_point for zero_point in zero_points if zero_point not in allowed]
        if outside:
            raise self.corrupt(f"{where} has the zero point {outside[0]}")

    def _check_graph(self) -> None:
        count = len(self.tensors)
        taken, given = self.graph.get("inputs", ()), self.graph.get("outputs", ())
        self._check_indices((*taken, *given), count, "its graph")
        if len(taken) != 1 or not given:
            raise self.unsupported(
                f"has {len(taken)} inputs and {len(given)} outputs, expected 1 and 1; split the model"
            )
        known = [bool(len(self._data(tensor))) for tensor in self.tensors]
        if known[taken[0]]:
            raise self.corrupt("its input is a constant")
        known[taken[0]] = True
        codes = [self._code(code) for code in self.model.get("operator_codes", [])]
        for position, operator in enumerate(self.graph.get("operators", [])):
            where = f"operator {position}"
            self._check_indices([operator.get("opcode_index", 0)], len(codes), where, "kind")
            kind = codes[operator.get("opcode_index", 0)]
            where = f"{where} ({kind.name})"
            self._check_borders(operator, kind, known, where)
            self._check_options(operator, kind, where)
            self._check_beta(operator, kind, where)
            self._check_tensors(operator, kind, where)
        if not all(known[index] for index in given):
            raise self.corrupt("no operator makes its output")

    def _code(self, code: Table) -> Known:
        # Files older than schema 3a keep the code in the first, one-byte field.
        number = max(code.get("builtin_code", 0), code.get("deprecated_builtin_code", 0))
        if number in OPERATORS:
            return OPERATORS[number]
        name = f"builtin operator {number}"
        if number == CUSTOM:
            name = f"the custom operator {code.get('custom_code', '')[:60] or 'without a name'}"
        raise self.unsupported(
            f"holds an operator that is not let through, {name}; convert it with the built-in operators of image"
            " classifiers"
        )

    def _check_borders(self, operator: Table, kind: Known, known: list[bool], where: str) -> None:
        """Check that every input is there when the operator runs, and that it writes over nothing."""
        inputs, outputs = operator.get("inputs", ()), operator.get("outputs", ())
        least, most = kind.inputs
        if not least <= len(inputs) <= most or len(outputs) != 1:
            raise self.corrupt(f"{where} has {len(inputs)} inputs and {len(outputs)} outputs")
        # A bias may be left out.
        present = [*inputs[:least], *(index for index in inputs[least:] if index != -1)]
        self._check_indices((*present, *outputs), len(self.tensors), where)
        for index in present:
            if not known[index]:
                raise self.corrupt(f"{where} reads tensor {index}, which no operator before it makes")
        if known[outputs[0]]:
            raise self.corrupt(f"{where} writes over tensor {outputs[0]}, which was there already")
        known[outputs[0]] = True

    def _check_options(self, operator: Table, kind: Known, where: str) -> None:
        if operator.get("builtin_options_2_type") or operator.get("large_custom_options_size"):
            raise self.unsupported(f"carries options of a later kind in {where}")
        number, options = operator.get("builtin_options_type", 0), operator.get("builtin_options")
        if number not in (0, kind.options) or (kind.needed and not (number and options is not None)):
            wanted = OPTIONS[kind.options][0] if kind.options else "no options"
            raise self.corrupt(f"{where} carries options of kind {number}, expected {wanted}")
        if options is None:
            return
        fields = {name for _, name, _ in OPTIONS[number][1].fields}
        for name in fields.intersection(ALLOWED):
            value = options.get(name, 0 if name in NEEDED else None)
            if value is not None and value not in ALLOWED[name]:
                raise self.corrupt(f"{where} has {name} {value}")
        numbers = [value for value in options.values() if isinstance(value, float)]
        if not all(map(math.isfinite, numbers)):
            raise self.corrupt(f"{where} has an attribute that is not a number")

    def _check_beta(self, operator: Table, kind: Known, where: str) -> None:
        """Check how softmax scales its inputs: LiteRT ends the process where an integer one scales by too little."""
        if kind.name not in ("SOFTMAX", "LOG_SOFTMAX"):
            return
        beta = (operator.get("builtin_options") or {}).get("beta", 0.0 if kind.name == "SOFTMAX" else 1.0)
        scales = self.tensors[operator["inputs"][0]].get("quantization", {}).get("scale", ())
        if not all(SMALLEST_STEP < beta * scale < 1 / SMALLEST_STEP for scale in (1.0, *scales)):
            raise self.corrupt(f"{where} has the beta {beta:g} for inputs in steps of {scales[0] if scales else 1:g}")

    def _check_tensors(self, operator: Table, kind: Known, where: str) -> None:
        inputs = [self.tensors[index] for index in operator["inputs"] if index != -1]
        output = self.tensors[operator["outputs"][0]]
        types = [tensor.get("type", 0) for tensor in (*inputs, output)]
        if not types_fit(kind.name, types[:-1], types[-1]):
            *taken, made = (WIDTHS[number][0] for number in types)
            raise self.corrupt(f"{where} makes {made} of {', '.join(taken)}")
        problem = check_output_shape(kind.name, inputs, output, operator.get("builtin_options") or {}, self._data)
        if problem:
            raise self.corrupt(f"{where} {problem}")

    def _check_signatures(self) -> None:
        for signature in self.model.get("signature_defs", []):
            self._check_indices([signature.get("subgraph_index", 0)], 1, "a signature", "subgraph")
            ends = [*signature.get("inputs", []), *signature.get("outputs", [])]
            self._check_indices((end.get("tensor_index", 0) for end in ends), len(self.tensors), "a signature")

    def _data(self, tensor: Table) -> Any:
        return self.buffers[tensor.get("buffer", 0)].get("data", b"")

    def _size(self, tensor: Table) -> int:
        """Return the bytes of an activation; constants are in the file."""
        return 0 if len(self._data(tensor)) else _bytes(tensor)


def _bytes(tensor: Table) -> int:
    return math.ceil(math.prod(tensor.get("shape", ())) * WIDTHS[tensor.get("type", 0)][1])


def _fits(signature: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether a signature, -1 where a dimension is free, goes with a shape."""
    return len(signature) == len(shape) and all(one in (-1, size) for one, size in zip(signature, shape, strict=True))


def _shown(shape: tuple[int, ...]) -> str:
    return f"{list(shape[:8])}{'...' if len(shape) > 8 else ''}"
