"""Export to ONNX with tf2onnx: free batch, input "image", output "probabilities", static shapes inside."""

import dataclasses
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters.conversion import ConversionOptions, compare, convert_in_child
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


OPTIONS = OnnxOptions

__all__ = ["OPTIONS", "SUFFIX", "compare", "convert", "export", "with_contract"]


def export(source: Path, path: Path, options: OnnxOptions) -> Path:
    """Write a `.keras` file as an `.onnx` file; see Format and convert_in_child.

    Raises:
        GraphUnsupported: the converted graph could not be cleaned.
    """
    return write_whole(path, with_contract(*convert_in_child(__name__, source, options)))


def with_contract(content: bytes, contract: Contract) -> bytes:
    """Return an ONNX file's bytes with `contract` in its metadata; an earlier one is replaced."""
    return with_metadata(content, ONNX_PROPERTY, contract.to_json())


def convert(path: Path, contract: Contract | None, precision: str, images: Images | None) -> tuple[bytes, Contract]:
    """Return the serialized model and its contract; called in the child process."""
    from edgedigits_exporters.keras_file import load_model
    from edgedigits_exporters.onnx_graph import clean

    model, contract = load_model(path, contract)
    import keras
    import onnx
    import tensorflow as tf
    import tf2onnx

    signature = [tf.TensorSpec((None, *contract.input.shape[1:]), tf.float32, name="image")]
    # from_keras raises KeyError on Keras 3 models; a function with a signature does not.
    function = tf.function(lambda image: model(image, training=False), input_signature=signature)
    graph, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=OPSET)
    graph = clean(graph)
    if precision == "float16":
        graph = _to_float16(graph)
    elif precision == "int8" and images is not None:
        graph = _quantize(graph, network_input(images, contract))
    elif precision == "dynamic":
        graph = _quantize(graph, None)
    onnx.checker.check_model(graph, full_check=True)
    tools = {"keras": keras.__version__, "tf2onnx": tf2onnx.__version__, "onnx": onnx.__version__}
    fitting = dataclasses.replace(contract, format="onnx", precision=precision, tools={**contract.tools, **tools})
    return graph.SerializeToString(), fitting


def _to_float16(graph: Any) -> Any:
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    # Inputs and outputs stay float32, so that every precision is fed in the same way.
    halved = OnnxModel(convert_float_to_float16(graph, keep_io_types=True))
    # The converter appends its casts at the end of the node list; ONNX requires topological order.
    halved.topological_sort()
    return halved.model


def _quantize(graph: Any, pixels: NDArray[np.float32] | None) -> Any:
    """Quantize weights to int8; with calibration pixels activations too, as QuantizeLinear/DequantizeLinear (QDQ)."""
    import onnx
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_dynamic,
        quantize_static,
    )

    # ONNX Runtime's quantizer reads and writes files.
    with tempfile.TemporaryDirectory(prefix="edgedigits-") as folder:
        source, target = (str(Path(folder) / name) for name in ("float.onnx", "quantized.onnx"))
        onnx.save(graph, source)
        if pixels is None:
            quantize_dynamic(source, target, weight_type=QuantType.QUInt8)
            return onnx.load(target)

        batches = iter([{"image": batch} for batch in np.array_split(pixels, -(-len(pixels) // 100))])

        class Reader(CalibrationDataReader):  # type: ignore[misc]  # ONNX Runtime publishes no types
            def get_next(self) -> dict[str, NDArray[np.float32]] | None:
                return next(batches, None)

        quantize_static(
            source, target, Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QInt8, weight_type=QuantType.QInt8,
            # Softmax is cheap, and steps of 1/256 would make the confidence coarser.
            op_types_to_quantize=sorted({node.op_type for node in graph.graph.node} - {"Softmax"}),
        )  # fmt: skip
        return onnx.load(target)
