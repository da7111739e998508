"""A hand-made `.tflite` file, from the objects of LiteRT's schema."""

from collections.abc import Mapping
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

KINDS = {
    "float32": schema.TensorType.FLOAT32,
    "int8": schema.TensorType.INT8,
    "int32": schema.TensorType.INT32,
}


def dense_softmax(
    shape: tuple[int, ...],
    weights: NDArray[Any],
    bias: NDArray[Any],
    quantization: Mapping[str, tuple[float, int]],
) -> bytes:
    """Return a model of RESHAPE, FULLY_CONNECTED and SOFTMAX.

    Args:
        shape: of one image.
        weights: [classes, pixels], float32 or int8; activations have the same dtype.
        bias: [classes], float32 or int32.
        quantization: scale and zero point by tensor name; empty for a float model.
    """
    flat = np.array([1, weights.shape[1]], np.int32)
    graph = schema.SubGraphT()
    graph.name = b"main"
    graph.tensors = _tensors(shape, weights, bias, quantization)
    graph.operators = _operators(flat.tolist())
    graph.inputs, graph.outputs = [0], [6]
    names = schema.BuiltinOperator
    model = schema.ModelT()
    model.version = 3
    # Int8 weights need version 4 of FULLY_CONNECTED.
    versions = {names.RESHAPE: 1, names.FULLY_CONNECTED: 4 if quantization else 1, names.SOFTMAX: 1}
    model.operatorCodes = [code_of(*each) for each in versions.items()]
    model.subgraphs = [graph]
    model.buffers = [buffer_of(content) for content in (None, flat, weights, bias)]
    return packed(model)


def packed(model: Any) -> bytes:
    """Return the bytes of a model, a `ModelT`."""
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _tensors(
    shape: tuple[int, ...], weights: NDArray[Any], bias: NDArray[Any], quantization: Mapping[str, tuple[float, int]]
) -> list[Any]:
    classes, pixels = weights.shape
    dtype = weights.dtype.name
    # Names, shapes, types and buffers; buffer 0 is empty and belongs to activations.
    described: list[tuple[str, list[int], str, int]] = [
        ("image", [1, *shape], dtype, 0),
        ("shape", [2], "int32", 1),
        ("flat", [1, pixels], dtype, 0),
        ("weights", [classes, pixels], dtype, 2),
        ("bias", [classes], bias.dtype.name, 3),
        ("logits", [1, classes], dtype, 0),
        ("probabilities", [1, classes], dtype, 0),
    ]
    return [tensor_of(*each, quantization.get(each[0])) for each in described]


def _operators(flat: list[int]) -> list[Any]:
    reshape = schema.ReshapeOptionsT()
    reshape.newShape = flat
    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    options = schema.BuiltinOptions
    return [
        operator_of(0, [0, 1], [2], options.ReshapeOptions, reshape),
        operator_of(1, [2, 3, 4], [5], options.FullyConnectedOptions, schema.FullyConnectedOptionsT()),
        operator_of(2, [5], [6], options.SoftmaxOptions, softmax),
    ]


def tensor_of(name: str, shape: list[int], dtype: str, buffer: int, quantization: tuple[float, int] | None) -> Any:
    made = schema.TensorT()
    made.name, made.shape, made.type, made.buffer = name.encode(), shape, KINDS[dtype], buffer
    if quantization:
        scale, zero_point = quantization
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale, made.quantization.zeroPoint = [scale], [zero_point]
    return made


def buffer_of(content: NDArray[Any] | None) -> Any:
    made = schema.BufferT()
    made.data = None if content is None else np.frombuffer(content.tobytes(), np.uint8)
    return made


def operator_of(code: int, inputs: list[int], outputs: list[int], kind: int, options: Any) -> Any:
    made = schema.OperatorT()
    made.opcodeIndex, made.inputs, made.outputs = code, inputs, outputs
    made.builtinOptionsType, made.builtinOptions = kind, options
    return made


def code_of(builtin: int, version: int) -> Any:
    made = schema.OperatorCodeT()
    made.builtinCode = made.deprecatedBuiltinCode = builtin
    made.version = version
    return made
