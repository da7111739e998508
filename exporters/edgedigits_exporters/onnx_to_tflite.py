"""Convert an `.onnx` file to TFLite with onnx2tf and TensorFlow's converter; NCHW becomes NHWC."""

import contextlib
import dataclasses
import importlib
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters.onnx_file import input_of, load_float32
from edgedigits_exporters.onnx_preparation import prepare, state_axes
from edgedigits_exporters.tflite import fitting_contract, to_flatbuffer
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.errors import ConversionFailed, first_line
from edgedigits_runtime.preprocessing import Images, dequantize, network_input

PROBES = 16
"""Images on which the translation is compared with ONNX Runtime."""

TOLERANCE = 1e-3
"""Largest difference of outputs up to 1; another order of sums changes float32 by 1e-6 and float16 by 1e-4."""

SAMPLES = "calibration_image_sample_data_20x128x128x3_float32.npy"
"""Pictures that onnx2tf downloads unless the working folder has them; only their shapes matter here."""


def convert(path: Path, contract: Contract | None, precision: str, images: Images | None) -> tuple[bytes, Contract]:
    """Return the flatbuffer, with a static batch of 1, and its contract; called in the child process.

    Raises:
        ConversionFailed: onnx2tf cannot translate it, or the translation computes something else.
    """
    model, fed = load_float32(path, contract)
    contract = contract or read_contract(path)
    batched, keeps_layout = "N" in fed.layout, fed.layout != "NCHW"
    prepared = prepare(model, batched=batched)
    network, version = _translate(prepared, keeps_layout)
    import tensorflow as tf

    if fed.output_kind == "log-probabilities" and prepared.graph.node[-1].op_type == "Softmax":
        fed = dataclasses.replace(fed, output_kind="probabilities")
    fed = dataclasses.replace(fed, layout=fed.layout if keeps_layout else "NHWC")
    sizes = contract.input.shape if keeps_layout else (None, *contract.image_shape)
    shape = [1, *sizes[1:]] if batched else list(sizes)
    function = tf.function(
        lambda image: network(tf.reshape(image, network.input_shape)),
        input_signature=[tf.TensorSpec(shape, tf.float32, name="image")],
    )
    probes = _noise(contract) if images is None else images[:PROBES]
    inputs = [one.reshape(shape) for one in network_input(probes, fed)]
    expected = _source_outputs(path, contract, probes)
    if fed.output_kind != contract.output_kind:
        expected = np.exp(expected)
    _require_equal(path, np.stack([function(one).numpy().ravel() for one in inputs]), expected)
    pixels = None if images is None else network_input(images, fed).reshape(-1, *shape)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], network)
    flatbuffer = to_flatbuffer(converter, precision, pixels)
    return flatbuffer, fitting_contract(fed, flatbuffer, precision, {"onnx2tf": version})


def _translate(prepared: Any, keeps_layout: bool) -> tuple[Any, str]:
    """Return onnx2tf's Keras model and the version of onnx2tf."""
    state_axes(prepared)
    with tempfile.TemporaryDirectory(prefix="edgedigits-") as folder, contextlib.chdir(folder):
        np.save(SAMPLES, np.random.default_rng(0).random((20, 128, 128, 3), np.float32))
        onnx2tf = importlib.import_module("onnx2tf")
        try:
            network = onnx2tf.convert(
                onnx_graph=prepared,
                keep_shape_absolutely_input_names=[input_of(prepared).name] if keeps_layout else None,
                not_use_onnxsim=True,
                disable_model_save=True,
                verbosity="error",
            )
        # It raises whatever its operators raise, and ends the process on its own complaints.
        except (Exception, SystemExit) as error:
            raise ConversionFailed(f"onnx2tf {onnx2tf.__version__} failed: {first_line(error)}") from error
        return network, onnx2tf.__version__


def _noise(contract: Contract) -> Images:
    return np.random.default_rng(0).integers(0, 256, (PROBES, *contract.image_shape), np.uint8)


def _source_outputs(path: Path, contract: Contract, images: Images) -> NDArray[np.float32]:
    with open_engine(path, contract=contract, device="cpu") as engine:
        return dequantize(engine.invoke(engine.feed(images)), contract.output)


def _require_equal(path: Path, found: NDArray[np.float32], expected: NDArray[np.float32]) -> None:
    error = float(np.abs(found - expected).max())
    if not error <= TOLERANCE * max(1.0, float(np.abs(expected).max())):
        raise ConversionFailed(
            f"onnx2tf translated {path} wrongly: an output differs from ONNX Runtime's by {error:.2g}; export it with"
            " simpler operators, or from Keras"
        )
