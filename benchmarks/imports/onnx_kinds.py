"""Kinds of ONNX model, as PyTorch and tf2onnx write them: layouts, batches, opsets, normalisations and outputs."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.imports import bare, pictures
from benchmarks.imports.keras_kinds import FEEDS
from benchmarks.imports.kind import Kind, Source, stated_for
from benchmarks.imports.trained import INPUTS, base_network, refed

SHAPES: dict[str, list[int]] = {
    "NCHW": [1, 28, 28], "NHWC": [28, 28, 1], "NHW": [28, 28], "NF": [784], "CHW": [1, 28, 28],
}  # fmt: skip
ENDS = {"logits": "", "probabilities": "Softmax", "log-probabilities": "LogSoftmax"}


@dataclass(frozen=True)
class Form:
    """How the base network is written as ONNX; `batch` None is free."""

    opset: int = 17
    layout: str = "NCHW"
    batch: int | None = None
    given: str = "unit"
    output: str = "logits"


def write(form: Form, path: Path, networks: Path) -> Path:
    """Write the base network in a form."""
    from onnx import TensorProto, helper, save_model

    weights = refed(base_network(networks), *INPUTS[form.given])
    # In the order of PyTorch: channels first, also in the flattened features.
    ordered = weights[4].reshape(5, 5, 16, 10).transpose(3, 2, 0, 1).reshape(10, 400)
    values: dict[str, Any] = {
        "conv1.weight": weights[0].transpose(3, 2, 0, 1), "conv1.bias": weights[1],
        "conv2.weight": weights[2].transpose(3, 2, 0, 1), "conv2.bias": weights[3],
        "fc.weight": ordered, "fc.bias": weights[5],
    }  # fmt: skip
    nodes = []
    start = "input"
    if form.layout == "NHWC":
        nodes.append(helper.make_node("Transpose", ["input"], ["image"], perm=[0, 3, 1, 2]))
        start = "image"
    elif form.layout != "NCHW":
        values["size"] = np.array([-1, 1, 28, 28], np.int64)
        nodes.append(helper.make_node("Reshape", ["input", "size"], ["image"]))
        start = "image"
    for number, source in ((1, start), (2, "pool1")):
        names = [source, f"conv{number}.weight", f"conv{number}.bias"]
        nodes += [
            helper.make_node("Conv", names, [f"conv{number}"], kernel_shape=[3, 3]),
            helper.make_node("Relu", [f"conv{number}"], [f"relu{number}"]),
            helper.make_node("MaxPool", [f"relu{number}"], [f"pool{number}"], kernel_shape=[2, 2], strides=[2, 2]),
        ]
    end = ENDS[form.output]
    nodes += [
        helper.make_node("Flatten", ["pool2"], ["features"]),
        helper.make_node("Gemm", ["features", "fc.weight", "fc.bias"], ["fc" if end else "output"], transB=1),
    ]
    if end:
        nodes.append(helper.make_node(end, ["fc"], ["output"], axis=1))
    batch = "batch" if form.batch is None else form.batch
    shape = SHAPES[form.layout] if form.layout == "CHW" else [batch, *SHAPES[form.layout]]
    graph = helper.make_graph(
        nodes, "main_graph",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1 if form.layout == "CHW" else batch, 10])],
        [helper.make_tensor(name, _type(array), array.shape, np.ascontiguousarray(array).tobytes(), raw=True)
         for name, array in values.items()],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", form.opset)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=helper.find_min_ir_version_for(opsets))
    path.parent.mkdir(parents=True, exist_ok=True)
    save_model(model, path)
    return path


def _type(array: Any) -> int:
    from onnx import helper

    return int(helper.np_dtype_to_tensor_dtype(array.dtype))


def _build(form: Form, place: Path) -> Source:
    path = write(form, place / "model.onnx", place.parent)
    images, feed = pictures.compared_digits(), FEEDS[form.given]
    return Source(path, images, bare.answers(path, feed(images)), feed, form.output, stated=stated_for(feed))


def _untrained(place: Path) -> Source:
    """Write the network with weights of no use."""
    import onnx
    from onnx import numpy_helper

    path = write(Form(), place / "model.onnx", place.parent)
    model = onnx.load(path)
    rng = np.random.default_rng(1)
    for weight in model.graph.initializer:
        noise = rng.normal(0, 0.1, tuple(weight.dims)).astype(np.float32)
        weight.CopyFrom(numpy_helper.from_array(noise, weight.name))
    onnx.save(model, path)
    return Source(path, pictures.compared_digits(), None)


def _kind(name: str, form: Form) -> Kind:
    return Kind("ONNX", name, partial(_build, form))


KINDS = [
    _kind(
        "NCHW, log-probabilities, MNIST mean and deviation",
        Form(17, given="mean and deviation", output="log-probabilities"),
    ),
    _kind("NCHW, logits, opset 11", Form(11)),
    _kind("NCHW, batch 1, opset 9", Form(9, batch=1, output="probabilities")),
    _kind("NHWC, opset 13", Form(13, "NHWC", output="probabilities")),
    _kind("[N, 28, 28], opset 18", Form(18, "NHW", output="probabilities")),
    _kind("[N, 784], opset 15", Form(15, "NF")),
    _kind("[1, 28, 28] without a batch", Form(17, "CHW")),
    _kind("raw pixels, opset 21", Form(21, given="raw", output="probabilities")),
    _kind("pixels -1..1, opset 12", Form(12, given="-1..1")),
    _kind("dark on bright", Form(17, given="inverted")),
    Kind("ONNX", "untrained", _untrained, refused=True),
]
