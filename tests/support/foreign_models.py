"""Models as other tools write them, made from the shipped ones: without a contract, and fed or read in another way."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from edgedigits.model_files import SHIPPED
from edgedigits_runtime.embedded_contract import MEMBER, strip_zip

SIDE, CLASSES = 28, 10
SHAPES = {
    "NHWC": (SIDE, SIDE, 1), "NCHW": (1, SIDE, SIDE), "NHW": (SIDE, SIDE), "NF": (SIDE * SIDE,),
    "HWC": (SIDE, SIDE, 1), "CHW": (1, SIDE, SIDE), "HW": (SIDE, SIDE), "F": (SIDE * SIDE,),
}  # fmt: skip
"""Sizes of an input in each layout, without the batch."""


def foreign_onnx(
    path: Path,
    *,
    layout: str = "NHWC",
    batch: int | str = "N",
    scale: float = 1.0,
    offset: float = 0.0,
    output: str = "probabilities",
    name: str = "pico",
) -> Path:
    """Write a shipped `.onnx` file that takes (pixel / 255 - offset) / scale in another layout.

    Args:
        path: to write.
        layout, batch: of the input; without N there is no batch.
        scale, offset: the network sees the input times `scale` plus `offset`.
        output: kind of output.
        name: of the shipped model.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(str(SHIPPED / f"{name}.onnx"))
    graph = model.graph
    del model.metadata_props[:]
    sizes = [*([batch] if "N" in layout else []), *SHAPES[layout]]
    constants = {
        "to_shape": np.array([-1, SIDE, SIDE, 1], np.int64),
        "to_scale": np.array(scale, np.float32),
        "to_offset": np.array(offset, np.float32),
    }
    nodes = [
        helper.make_node("Reshape", ["pixels", "to_shape"], ["arranged"]),
        helper.make_node("Mul", ["arranged", "to_scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "to_offset"], ["image"]),
    ]
    softmax = graph.node[-1]
    assert softmax.op_type == "Softmax"
    if output in ("logits", "sigmoids"):
        graph.node.remove(softmax)
    if output == "sigmoids":
        graph.node.append(helper.make_node("Sigmoid", [softmax.input[0]], [softmax.output[0]]))
    if output == "logits":
        graph.node[-1].output[0] = softmax.output[0]
    if output == "log-probabilities":
        softmax.op_type = "LogSoftmax"
    for node in reversed(nodes):
        graph.node.insert(0, node)
    graph.initializer.extend(numpy_helper.from_array(value, each) for each, value in constants.items())
    del graph.input[:], graph.value_info[:], graph.output[:]
    graph.input.append(helper.make_tensor_value_info("pixels", TensorProto.FLOAT, sizes))
    ends = [sizes[0] if "N" in layout else 1, CLASSES]
    graph.output.append(helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ends))
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def bare_tflite(path: Path, name: str = "pico") -> Path:
    """Write a shipped `.tflite` file without its contract."""
    path.write_bytes(strip_zip((SHIPPED / f"{name}.tflite").read_bytes()))
    return path


def bare_keras(path: Path, name: str = "pico") -> Path:
    """Write a shipped `.keras` file without its contract."""
    with zipfile.ZipFile(SHIPPED / f"{name}.keras") as source, zipfile.ZipFile(path, "w") as target:
        for member in source.infolist():
            if member.filename != MEMBER:
                target.writestr(member, source.read(member))
    return path


def run_by_hand(path: Path, tensor: Any) -> Any:
    """Return the first output of bare ONNX Runtime for an input tensor."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path))
    return session.run(None, {session.get_inputs()[0].name: tensor})[0]
