"""What onnx2tf cannot translate, found in the operators of an `.onnx` file in milliseconds, before TensorFlow."""

from pathlib import Path

from edgedigits_exporters.onnx_file import is_quantized
from edgedigits_runtime.errors import ConversionFailed
from edgedigits_runtime.untrusted import read_limited
from edgedigits_runtime.untrusted.onnx_model import Node, OnnxModel, read_model

REASONS = {
    **dict.fromkeys(("GRU", "LSTM", "RNN"), "which onnx2tf translates to a loop that boards cannot run"),
    "LpPool": "which onnx2tf does not translate",
    "Mod": "which TFLite computes otherwise for negative numbers",
}
ADVICE = "export it with --format onnx, or build it in Keras, whose recurrent and attention layers are translated"

KEEP_SHARES = ("Cast", "Dropout", "Identity", "Reshape", "Transpose")
"""Operators between the Softmax of attention and the multiplication."""


def refuse_untranslatable(path: Path) -> None:
    """Raise ConversionFailed for a checked `.onnx` file that cannot become TFLite; the message has the operator."""
    model = read_model(read_limited(path), str(path))
    for node in model.nodes:
        if is_quantized(node.operator):
            raise ConversionFailed(f"{path} is quantized already: it has {node.operator}; export its float32 model")
        if reason := REASONS.get(node.operator):
            raise ConversionFailed(f"{path} has {node.operator}, {reason}; {ADVICE}")
    if product := _attention(model):
        raise ConversionFailed(
            f"{path} has attention ({product.operator} of a Softmax), which onnx2tf translates wrongly; {ADVICE}"
        )


def _attention(model: OnnxModel) -> Node | None:
    """Return an operator that multiplies the output of a Softmax by another tensor that is no constant."""
    constants, shares = {constant.name for constant in model.constants}, set[str]()
    for node in model.nodes:
        if node.operator == "Constant":
            constants.update(node.outputs)
        elif node.operator == "Softmax" or (node.operator in KEEP_SHARES and not shares.isdisjoint(node.inputs[:1])):
            shares.update(node.outputs)
        elif node.operator == "MatMul" and not shares.isdisjoint(node.inputs) and constants.isdisjoint(node.inputs):
            return node
    return None
