"""Export to TFLite with TensorFlow's converter: static batch of 1; int8 models have int8 input and output."""

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters.conversion import ConversionOptions, compare, convert_in_child, unroll
from edgedigits_exporters.onnx_refusals import refuse_untranslatable
from edgedigits_runtime.contract import Contract, Tensor
from edgedigits_runtime.embedded_contract import append_zipped as with_contract
from edgedigits_runtime.engines.litert import tensor_of
from edgedigits_runtime.errors import ConversionFailed
from edgedigits_runtime.preprocessing import Images, network_input
from edgedigits_runtime.whole_files import write_whole

SUFFIX = ".tflite"


@dataclass(frozen=True)
class TfliteOptions(ConversionOptions):
    """Options of TFLite files."""

    precision: str = "int8"

    onnx_packages = ("tensorflow", "onnx2tf", "onnxruntime")

    def require_tools(self, source: Path) -> None:
        if source.suffix == ".onnx":
            refuse_untranslatable(source)
        super().require_tools(source)


OPTIONS = TfliteOptions

CONVERTERS = {".keras": __name__, ".onnx": "edgedigits_exporters.onnx_to_tflite"}
"""Modules whose `convert` takes a file with this suffix."""

MISSING_OPERATORS = re.compile(r"^(?:TF Select|Custom|Flex) ops: (.+)$", re.M)
"""The line of the converter's error that names what only TensorFlow computes."""

__all__ = [
    "OPTIONS",
    "SUFFIX",
    "compare",
    "convert",
    "export",
    "fitting_contract",
    "notes",
    "to_flatbuffer",
    "with_contract",
]


def export(source: Path, path: Path, options: TfliteOptions) -> Path:
    """Write a `.keras` or `.onnx` file as a `.tflite` file; see Format and convert_in_child."""
    return write_whole(path, with_contract(*convert_in_child(CONVERTERS[source.suffix], source, options)))


def notes(artifact: Path) -> list[str]:  # noqa: ARG001
    """Return facts about an exported file for the user; a TFLite file has none."""
    return []


def convert(path: Path, contract: Contract | None, precision: str, images: Images | None) -> tuple[bytes, Contract]:
    """Return the flatbuffer and a contract with its tensors; called in the child process."""
    from edgedigits_exporters.keras_file import load_model

    model, contract = load_model(path, contract)
    import keras
    import tensorflow as tf

    unroll(model)
    # With a free batch the converter adds SHAPE, STRIDED_SLICE and PACK around the flattening.
    image = keras.Input(batch_shape=(1, *contract.input.shape[1:]), name="image")
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(image, model(image)))
    pixels = None if images is None else network_input(images, contract)[:, None]
    flatbuffer = to_flatbuffer(converter, precision, pixels)
    return flatbuffer, fitting_contract(contract, flatbuffer, precision, {"keras": keras.__version__})


def to_flatbuffer(converter: Any, precision: str, pixels: NDArray[np.float32] | None) -> bytes:
    """Return the model of TensorFlow's converter in a precision; int8 needs inputs of the model, one after another."""
    import tensorflow as tf

    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "int8" and pixels is not None:
        converter.representative_dataset = lambda: ([one] for one in pixels)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    try:
        flatbuffer: bytes = converter.convert()
    # The converter passes on what MLIR printed.
    except Exception as error:
        if missing := MISSING_OPERATORS.search(str(error)):
            raise ConversionFailed(
                f"TFLite has no built-in operator for TensorFlow's {missing[1].strip()}; export to onnx, or replace the"
                " layers that compute it"
            ) from error
        raise
    return flatbuffer


def fitting_contract(contract: Contract, flatbuffer: bytes, precision: str, tools: dict[str, str]) -> Contract:
    """Return the contract with the tensors of a converted model and the tools that made it."""
    import tensorflow as tf

    input_tensor, output_tensor = _tensors(flatbuffer)
    return dataclasses.replace(
        contract,
        format="tflite",
        precision=precision,
        tools={**contract.tools, **tools, "tensorflow": tf.__version__},
        input=input_tensor,
        output=output_tensor,
    )


def _tensors(flatbuffer: bytes) -> tuple[Tensor, Tensor]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=flatbuffer)
    if len(interpreter.get_input_details()) != 1 or len(interpreter.get_output_details()) != 1:
        raise ConversionFailed("expected a model with one input and one output")
    return tensor_of(interpreter.get_input_details()[0]), tensor_of(interpreter.get_output_details()[0])
