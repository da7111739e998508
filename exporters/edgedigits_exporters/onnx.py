"""Export to ONNX: a `.keras` file with tf2onnx, an `.onnx` file as it is or in another precision.

From Keras: free batch, input "image", output "probabilities", static shapes inside where that is possible.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgedigits_exporters.conversion import ConversionOptions, compare, convert_in_child, unroll
from edgedigits_exporters.onnx_precision import to_precision
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.embedded_contract import ONNX_PROPERTY
from edgedigits_runtime.preprocessing import Images, network_input
from edgedigits_runtime.untrusted.onnx_model import with_metadata
from edgedigits_runtime.whole_files import write_whole

SUFFIX = ".onnx"

OPSET = 17


@dataclass(frozen=True)
class OnnxOptions(ConversionOptions):
    """Options of ONNX files."""

    precision: str = "float32"

    onnx_packages = ("onnx", "onnxruntime")


OPTIONS = OnnxOptions

LOOPS = ("If", "Loop", "Scan")
"""Operators with graphs of their own; few engines and tools take them."""

__all__ = ["OPTIONS", "SUFFIX", "compare", "convert", "export", "notes", "with_contract"]


def export(source: Path, path: Path, options: OnnxOptions) -> Path:
    """Write a `.keras` or `.onnx` file as an `.onnx` file; see Format and convert_in_child.

    Raises:
        GraphUnsupported: the graph of a recipe's network could not be cleaned.
    """
    return write_whole(path, with_contract(*convert_in_child(__name__, source, options)))


def with_contract(content: bytes, contract: Contract) -> bytes:
    """Return an ONNX file's bytes with `contract` in its metadata; an earlier one is replaced."""
    return with_metadata(content, ONNX_PROPERTY, contract.to_json())


def notes(artifact: Path) -> list[str]:
    """Return facts about an exported file for the user, a line each."""
    import onnx

    from edgedigits_exporters.onnx_graph import describe, leftovers

    found = leftovers(onnx.load(artifact))
    return [f"the graph keeps {describe(found)}; it is valid, and may run slower"] if found else []


def convert(path: Path, contract: Contract | None, precision: str, images: Images | None) -> tuple[bytes, Contract]:
    """Return the serialized model and its contract; called in the child process."""
    import onnx

    load = _load_onnx if path.suffix == ".onnx" else _load_keras
    graph, contract, tools = load(path, contract, precision)
    graph = to_precision(graph, precision, None if images is None else network_input(images, contract))
    tools = {**contract.tools, **tools, "onnx": onnx.__version__}
    fitting = dataclasses.replace(contract, format="onnx", precision=precision, tools=tools)
    return graph.SerializeToString(), fitting


def _load_keras(path: Path, contract: Contract | None, _precision: str) -> tuple[Any, Contract, dict[str, str]]:
    """Return the graph of a `.keras` file, its contract and the tools that converted it."""
    from edgedigits_exporters.keras_file import load_model
    from edgedigits_exporters.onnx_graph import clean

    model, contract = load_model(path, contract)
    import keras
    import onnx
    import tf2onnx

    graph = _to_onnx(model, contract)
    if any(node.op_type in LOOPS for node in graph.graph.node):
        unroll(model)
        graph = _to_onnx(model, contract)
    # Only the networks of this project's recipes have a rule for everything.
    graph = clean(graph, strict=contract.recipe is not None)
    onnx.checker.check_model(graph, full_check=True)
    return graph, contract, {"keras": keras.__version__, "tf2onnx": tf2onnx.__version__}


def _load_onnx(path: Path, contract: Contract | None, precision: str) -> tuple[Any, Contract, dict[str, str]]:
    """Return the graph of an `.onnx` file, in float32 if it is to be quantized, and its contract."""
    import onnxruntime

    from edgedigits_exporters.onnx_file import load_checked, load_float32

    if precision == "float32":
        return *load_checked(path, contract), {}
    return *load_float32(path, contract), {"onnxruntime": onnxruntime.__version__}


def _to_onnx(model: Any, contract: Contract) -> Any:
    """Return the graph of tf2onnx."""
    import keras
    import tensorflow as tf
    import tf2onnx

    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Normalization):
            # Tensors outside of the function would become inputs of the graph; arrays become constants.
            layer.mean, layer.variance = np.asarray(layer.mean), np.asarray(layer.variance)
    signature = [tf.TensorSpec((None, *contract.input.shape[1:]), tf.float32, name="image")]
    # from_keras raises KeyError on Keras 3 models; a function with a signature does not.
    function = tf.function(lambda image: model(image, training=False), input_signature=signature)
    graph, _ = tf2onnx.convert.from_function(
        function, input_signature=signature, opset=OPSET, custom_op_handlers={"Erfc": (_translate_erfc, [])}
    )
    return graph


def _translate_erfc(context: Any, node: Any, name: str, _: Any) -> None:
    """Translate TensorFlow's Erfc, which an exact GELU computes, to 1 - Erf; called by tf2onnx."""
    node.type, node.domain = "Erf", ""
    one = context.make_const(f"{name}_one", np.array(1, np.float32)).output[0]
    context.insert_new_node_on_output("Sub", node.output[0], f"{name}_sub", inputs=[one, node.output[0]])
