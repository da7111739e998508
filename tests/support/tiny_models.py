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
QUANTIZATION = {
    "image": (1 / 255, -128),
    "flat": (1 / 255, -128),
    "weights": (WEIGHT_SCALE, 0),
    "bias": (WEIGHT_SCALE / 255, 0),
    "logits": (0.25, 0),
    "probabilities": (1 / 256, -128),
}
"""Scale and zero point of the int8 model's tensors."""


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
        input=Tensor("image", (1, *SHAPE), "int8", *QUANTIZATION["image"]),
        output=Tensor("probabilities", (1, CLASSES), "int8", *QUANTIZATION["probabilities"]),
        format="tflite",
        precision="int8",
    )
    return dataclasses.replace(usual, **changes)


def pictures(count: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, *SHAPE), np.uint8)


def labelled_pictures(each: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return images that the models read right, framed as MNIST frames digits, `each` of every class, and labels."""
    labels = np.repeat(np.arange(CLASSES), each)
    images = np.where(weights() > 0, 230, 0).reshape(CLASSES, *SHAPE)[labels]
    images += np.random.default_rng(2).integers(0, 20, images.shape)
    framed = np.zeros_like(images)
    framed[:, 5:24, 5:24] = images[:, 5:24, 5:24]
    return framed.astype(np.uint8), labels


def weights() -> NDArray[np.int8]:
    """Weights [classes, pixels]; times WEIGHT_SCALE they are the float model's."""
    return np.random.default_rng(1).integers(-127, 128, (CLASSES, PIXELS), np.int8)


def expected(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the models' answers, computed with NumPy."""
    logits = images.reshape(len(images), PIXELS) / 255 @ (weights().T * WEIGHT_SCALE)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def onnx_bytes(carried: Contract | None, dtype: str = "float32") -> bytes:
    """The model, with the contract inside; it takes float32 in 0..1, or uint8 pixels."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    matrix = (weights().T * WEIGHT_SCALE).astype(np.float32)
    scaled = [
        helper.make_node("Cast", ["image"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["levels", "step"], ["scaled"]),
    ]
    pixels = dtype == "uint8"
    graph = helper.make_graph(
        [
            *(scaled if pixels else []),
            helper.make_node("Flatten", ["scaled" if pixels else "image"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"]),
        ],
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.UINT8 if pixels else TensorProto.FLOAT, ["batch", *SHAPE])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", CLASSES])],
        [
            numpy_helper.from_array(matrix, "weights"),
            *([numpy_helper.from_array(np.float32(1 / 255), "step")] if pixels else []),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    if carried is not None:
        helper.set_model_props(model, {ONNX_PROPERTY: carried.to_json()})
    return bytes(model.SerializeToString())


def tflite_bytes(carried: Contract | None, dtype: str = "float32") -> bytes:
    """The flatbuffer, with the contract behind it; `dtype` float32 or int8."""
    # Here, since its import takes half a second when the disk is cold.
    from tests.support.tiny_tflite import dense_softmax

    if dtype == "int8":
        flatbuffer = dense_softmax(SHAPE, weights(), np.zeros(CLASSES, np.int32), QUANTIZATION)
    else:
        matrix = (weights() * WEIGHT_SCALE).astype(np.float32)
        flatbuffer = dense_softmax(SHAPE, matrix, np.zeros(CLASSES, np.float32), {})
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
