"""Model files made by hand in milliseconds, without TensorFlow: one dense layer and a softmax behind a flattening."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.contract import Contract, Tensor
from edgedigits_runtime.embedded_contract import ONNX_PROPERTY, append_zipped

SHAPE = (28, 28, 1)
PIXELS = 28 * 28
CLASSES = 10
LABELS = tuple("0123456789")
WEIGHT_SCALE = 0.004


def contract(**changes: Any) -> Contract:
    """A contract for the float models below."""
    usual = Contract(
        name="tiny",
        input=Tensor("image", (None, *SHAPE), "float32"),
        output=Tensor("probabilities", (None, CLASSES), "float32"),
        labels=LABELS,
    )
    return dataclasses.replace(usual, **changes)


def int8_contract(**changes: Any) -> Contract:
    """A contract for the int8 model below."""
    usual = contract(
        input=Tensor("image", (1, *SHAPE), "int8", 1 / 255, -128),
        output=Tensor("probabilities", (1, CLASSES), "int8", 1 / 256, -128),
        format="tflite",
        precision="int8",
    )
    return dataclasses.replace(usual, **changes)


def pictures(count: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, *SHAPE), np.uint8)


def weights() -> NDArray[np.int8]:
    """Weights [classes, pixels]; times WEIGHT_SCALE they are the float model's."""
    return np.random.default_rng(1).integers(-127, 128, (CLASSES, PIXELS), np.int8)


def expected(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What the models answer, computed with NumPy."""
    logits = images.reshape(len(images), PIXELS) / 255 @ (weights().T * WEIGHT_SCALE)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def onnx_bytes(carried: Contract | None) -> bytes:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    matrix = (weights().T * WEIGHT_SCALE).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["image"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"]),
        ],
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", *SHAPE])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", CLASSES])],
        [numpy_helper.from_array(matrix, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    if carried is not None:
        helper.set_model_props(model, {ONNX_PROPERTY: carried.to_json()})
    return bytes(model.SerializeToString())


def tflite_bytes(carried: Contract | None, dtype: str = "float32") -> bytes:
    """A flatbuffer: RESHAPE, FULLY_CONNECTED, SOFTMAX; `dtype` float32 or int8."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    quantized = dtype == "int8"
    kind = schema.TensorType.INT8 if quantized else schema.TensorType.FLOAT32
    matrix = weights() if quantized else (weights() * WEIGHT_SCALE).astype(np.float32)
    bias = np.zeros(CLASSES, np.int32 if quantized else np.float32)

    def tensor(name: str, shape: list[int], kind: int, buffer: int, scale: float, zero_point: int) -> Any:
        made = schema.TensorT()
        made.name, made.shape, made.type, made.buffer = name.encode(), shape, kind, buffer
        if quantized:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale, made.quantization.zeroPoint = [scale], [zero_point]
        return made

    def buffer(content: NDArray[Any] | None) -> Any:
        made = schema.BufferT()
        made.data = None if content is None else np.frombuffer(content.tobytes(), np.uint8)
        return made

    def operator(code: int, inputs: list[int], outputs: list[int], kind: int, options: Any) -> Any:
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = code, inputs, outputs
        made.builtinOptionsType, made.builtinOptions = kind, options
        return made

    def code(builtin: int) -> Any:
        made = schema.OperatorCodeT()
        made.builtinCode = made.deprecatedBuiltinCode = builtin
        made.version = 4 if quantized and builtin == schema.BuiltinOperator.FULLY_CONNECTED else 1
        return made

    bias_kind = schema.TensorType.INT32 if quantized else kind
    graph = schema.SubGraphT()
    graph.name = b"main"
    graph.tensors = [
        tensor("image", [1, *SHAPE], kind, 0, 1 / 255, -128),
        tensor("shape", [2], schema.TensorType.INT32, 1, 0.0, 0),
        tensor("flat", [1, PIXELS], kind, 0, 1 / 255, -128),
        tensor("weights", [CLASSES, PIXELS], kind, 2, WEIGHT_SCALE, 0),
        tensor("bias", [CLASSES], bias_kind, 3, WEIGHT_SCALE / 255, 0),
        tensor("logits", [1, CLASSES], kind, 0, 0.25, 0),
        tensor("probabilities", [1, CLASSES], kind, 0, 1 / 256, -128),
    ]
    graph.tensors[1].quantization = None
    reshape = schema.ReshapeOptionsT()
    reshape.newShape = [1, PIXELS]
    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    options = schema.BuiltinOptions
    graph.operators = [
        operator(0, [0, 1], [2], options.ReshapeOptions, reshape),
        operator(1, [2, 3, 4], [5], options.FullyConnectedOptions, schema.FullyConnectedOptionsT()),
        operator(2, [5], [6], options.SoftmaxOptions, softmax),
    ]
    graph.inputs, graph.outputs = [0], [6]
    model = schema.ModelT()
    model.version = 3
    names = schema.BuiltinOperator
    model.operatorCodes = [code(names.RESHAPE), code(names.FULLY_CONNECTED), code(names.SOFTMAX)]
    model.subgraphs = [graph]
    model.buffers = [buffer(None), buffer(np.array([1, PIXELS], np.int32)), buffer(matrix), buffer(bias)]
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    flatbuffer = bytes(builder.Output())
    return flatbuffer if carried is None else append_zipped(flatbuffer, carried)


def write_tflite(folder: Path, dtype: str = "float32", name: str = "tiny") -> Path:
    """Write a `.tflite` file with its fitting contract."""
    fitting = int8_contract() if dtype == "int8" else contract(format="tflite")
    path = folder / f"{name}.tflite"
    path.write_bytes(tflite_bytes(fitting, dtype))
    return path


def write_onnx(folder: Path, name: str = "tiny") -> Path:
    """Write an `.onnx` file with its fitting contract."""
    path = folder / f"{name}.onnx"
    path.write_bytes(onnx_bytes(contract(format="onnx")))
    return path
