"""Export to TFLite through TensorFlow's converter: static batch of 1, int8 in and out where it is int8."""

import dataclasses
from pathlib import Path

from edgedigits_exporters.conversion import convert_in_child
from edgedigits_exporters.options import ExportOptions
from edgedigits_runtime.contract import Contract, Tensor
from edgedigits_runtime.embedded_contract import append_zipped
from edgedigits_runtime.engines.litert import tensor_of
from edgedigits_runtime.errors import ConversionFailed
from edgedigits_runtime.preprocessing import Images, normalise
from edgedigits_runtime.whole_files import write_whole

SUFFIX = ".tflite"
DEFAULT_PRECISION = "int8"


def export(model: Path, path: Path, options: ExportOptions) -> Path:
    """Write `model` as a `.tflite` file with its contract; see edgedigits_exporters.

    Raises:
        ArtifactError: the `.keras` file cannot be used.
        ConversionFailed: the converter refused the model or crashed.
        OutputNotWritable: the file could not be written.
    """
    images = options.calibration.images if options.calibration else None
    flatbuffer, contract = convert_in_child(__name__, model, options.contract, options.precision, images)
    contract = dataclasses.replace(contract, calibration=options.calibration.used if options.calibration else None)
    return write_whole(path, append_zipped(flatbuffer, contract))


def convert(
    path: Path, contract: Contract | None, precision: str, calibration: Images | None
) -> tuple[bytes, Contract]:
    """Return the flatbuffer and the contract that fits its tensors; runs in the child process."""
    from edgedigits_exporters.keras_file import load_model

    model, contract = load_model(path, contract)
    import keras
    import tensorflow as tf

    # A fixed batch leaves no SHAPE, STRIDED_SLICE and PACK around the flattening.
    image = keras.Input(batch_shape=(1, *contract.image_shape), name="image")
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(image, model(image)))
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "int8" and calibration is not None:
        pixels = normalise(calibration, contract.normalisation)
        converter.representative_dataset = lambda: ([row[None]] for row in pixels)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    flatbuffer: bytes = converter.convert()
    input_tensor, output_tensor = _border(flatbuffer)
    fitting = dataclasses.replace(
        contract,
        format="tflite",
        precision=precision,
        tools={**contract.tools, "keras": keras.__version__, "tensorflow": tf.__version__},
        input=input_tensor,
        output=output_tensor,
    )
    return flatbuffer, fitting


def _border(flatbuffer: bytes) -> tuple[Tensor, Tensor]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=flatbuffer)
    if len(interpreter.get_input_details()) != 1 or len(interpreter.get_output_details()) != 1:
        raise ConversionFailed("the model must have one input and one output")
    return tensor_of(interpreter.get_input_details()[0]), tensor_of(interpreter.get_output_details()[0])
