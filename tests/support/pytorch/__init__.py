"""Classifiers that PyTorch exported (make.py), as they are and as other exporters would write them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgedigits_exporters.onnx import with_contract
from edgedigits_runtime.contract import Contract, DataUsed, Scaling, Tensor

HERE = Path(__file__).parent
LABELS = tuple("0123456789")
SCALING = Scaling((1 / (255 * 0.3081),), (-0.1307 / 0.3081,))
"""Of torchvision's Normalize((0.1307,), (0.3081,)) after ToTensor()."""

PLAIN, RESIDUAL, ROWS = "plain-opset9", "residual-opset18", "rows-opset13"

Change = Callable[[Any], Any]


@dataclass(frozen=True)
class Case:
    """One file of this folder, changed, and the contract that fits it."""

    file: str
    change: Change
    input: Tensor
    layout: str
    output_kind: str
    normalisation: Any = SCALING

    def write(self, path: Path) -> Contract:
        """Write the file with its contract inside, and return the contract."""
        model = self.change(onnx.load(HERE / f"{self.file}.onnx"))
        output = model.graph.output[0]
        sizes = tuple(size.dim_value or None for size in output.type.tensor_type.shape.dim)
        contract = Contract(
            name=path.stem,
            input=self.input,
            output=Tensor(output.name, sizes, "float32"),
            labels=LABELS,
            normalisation=self.normalisation,
            layout=self.layout,
            image=(28, 28, 1) if self.layout == "NF" else None,
            output_kind=self.output_kind,  # type: ignore[arg-type]
            format="onnx",
            training=DataUsed("optdigits", 1293, "sha256:0"),
        )
        path.write_bytes(with_contract(model.SerializeToString(), contract))
        return contract


def _front(model: Any, shape: list[int | str], nodes: list[Any], constants: dict[str, Any], dtype: int = 1) -> Any:
    """Put operators, which read "pixels", before a model; the last one makes what it read."""
    graph = model.graph
    nodes[-1].output[0] = graph.input[0].name
    for position, node in enumerate(nodes):
        graph.node.insert(position, node)
    graph.initializer.extend(numpy_helper.from_array(np.array(values), name) for name, values in constants.items())
    del graph.input[:]
    graph.input.append(helper.make_tensor_value_info("pixels", dtype, shape))
    return model


def _channels_last(model: Any) -> Any:
    return _front(model, ["N", 28, 28, 1], [helper.make_node("Transpose", ["pixels"], ["x"], perm=[0, 3, 1, 2])], {})


def _flat(model: Any) -> Any:
    node = helper.make_node("Reshape", ["pixels", "sizes"], ["x"])
    return _front(model, ["N", 784], [node], {"sizes": np.array([-1, 1, 28, 28])})


def _uint8(model: Any) -> Any:
    nodes = [helper.make_node("Cast", ["pixels"], ["real"], to=TensorProto.FLOAT)]
    nodes += [helper.make_node(kind, [x, kind], [y]) for kind, x, y in (("Sub", "real", "low"), ("Div", "low", "x"))]
    constants = {"Sub": np.float32(0.1307 * 255), "Div": np.float32(0.3081 * 255)}
    return _front(model, ["N", 1, 28, 28], nodes, constants, TensorProto.UINT8)


def _batch_of(count: int) -> Change:
    def fix(model: Any) -> Any:
        for end in (model.graph.input[0], model.graph.output[0]):
            end.type.tensor_type.shape.dim[0].dim_value = count
        for node in model.graph.node:
            for attribute in node.attribute:
                # The shape of the flattening, as exported with a fixed batch.
                if node.op_type == "Constant" and numpy_helper.to_array(attribute.t).tolist() == [-1, 200]:
                    attribute.t.CopyFrom(numpy_helper.from_array(np.array([count, 200])))
        return model

    return fix


def _opset(number: int) -> Change:
    return lambda model: onnx.version_converter.convert_version(model, number)


def _half(model: Any) -> Any:
    from onnxruntime.transformers.float16 import convert_float_to_float16

    return convert_float_to_float16(model, keep_io_types=False)


def _without_flattening(model: Any) -> Any:
    flatten = next(node for node in model.graph.node if node.op_type == "Flatten")
    model.graph.node.remove(flatten)
    next(node for node in model.graph.node if flatten.output[0] in node.input).input[0] = "x"
    sizes = model.graph.input[0].type.tensor_type.shape.dim
    sizes.pop()
    sizes[1].dim_value = 784
    return model


def _nchw(name: str, batch: int | None = None) -> Tensor:
    return Tensor(name, (batch, 1, 28, 28), "float32")


_INPUT = _nchw("input")
_BYTES = Tensor("pixels", (None, 1, 28, 28), "uint8", 1 / 255, 0)

CASES = {
    "plain": Case(PLAIN, lambda model: model, _INPUT, "NCHW", "log-probabilities"),
    "plain-opset21": Case(PLAIN, _opset(21), _INPUT, "NCHW", "log-probabilities"),
    "plain-batch1": Case(PLAIN, _batch_of(1), _nchw("input", 1), "NCHW", "log-probabilities"),
    "plain-batch4": Case(PLAIN, _batch_of(4), _nchw("input", 4), "NCHW", "log-probabilities"),
    "plain-float16": Case(PLAIN, _half, _INPUT, "NCHW", "log-probabilities"),
    "plain-nhwc": Case(
        PLAIN, _channels_last, Tensor("pixels", (None, 28, 28, 1), "float32"), "NHWC", "log-probabilities"
    ),
    "plain-flat": Case(PLAIN, _flat, Tensor("pixels", (None, 784), "float32"), "NF", "log-probabilities"),
    "plain-uint8": Case(PLAIN, _uint8, _BYTES, "NCHW", "log-probabilities", "unit"),
    "residual": Case(RESIDUAL, lambda model: model, _nchw("image", 1), "NCHW", "logits"),
    "rows": Case(ROWS, lambda model: model, Tensor("x", (None, 28, 28), "float32"), "NHW", "probabilities"),
    "rows-flat": Case(ROWS, _without_flattening, Tensor("x", (None, 784), "float32"), "NF", "probabilities"),
}


def convert_all(folder: str, count: int) -> list[str]:
    """Convert each case to TFLite in float32 and int8, calibrated on `count` optdigits; called in a child process."""
    from edgedigits.data import load_dataset
    from edgedigits_exporters.onnx_to_tflite import convert
    from edgedigits_runtime.embedded_contract import append_zipped

    images = load_dataset("optdigits").train.images[:count]
    for name, case in CASES.items():
        source = Path(folder) / f"{name}.onnx"
        case.write(source)
        for precision in ("float32", "int8"):
            content, contract = convert(source, None, precision, images if precision == "int8" else None)
            (Path(folder) / f"{name}.{precision}.tflite").write_bytes(append_zipped(content, contract))
    return list(CASES)


__all__ = ["CASES", "PLAIN", "RESIDUAL", "ROWS", "Case", "convert_all"]
