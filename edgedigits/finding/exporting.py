"""The finder's files: Keras, int8 TFLite and ONNX, each with its contract and measured over drawn scenes."""

import dataclasses
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits.finding.measures import evaluate
from edgedigits.finding.network import build_network
from edgedigits.scenes import Scene
from edgedigits.scenes.streams import Stream
from edgedigits.training.run_folder import RunConfig
from edgedigits_runtime.child_process import Child
from edgedigits_runtime.embedded_contract import MEMBER, ONNX_PROPERTY, append_zipped
from edgedigits_runtime.engines.finder_network import open_finder_network
from edgedigits_runtime.errors import ConversionFailed, ExportError
from edgedigits_runtime.finder_contract import FinderContract, read_finder_contract
from edgedigits_runtime.reading.found import STRIDES, Floats
from edgedigits_runtime.untrusted.onnx_model import with_metadata
from edgedigits_runtime.whole_files import whole_file, write_whole

THRESHOLD = 0.3
SIDE = 320
VALIDATION_SEED = 1
CALIBRATION_SEED = 2
CALIBRATION_SCENES = 200
HEAT = (-6.0, 3.0)
"""Logits of a centre that the int8 file tells apart: scores from 0.0025 to 0.95."""
CHANNELS_OF_HEAT = 2
MOST_LOST = 0.02
"""Recall that an export may lose against the trained network, at the same precision."""
THRESHOLDS = np.round(np.arange(THRESHOLD, 0.6, 0.025), 3).tolist()
"""Of a file: int8 moves scores, so each states the first of these that reaches the network's precision."""
OPSET = 17


def outputs_of(network: Any) -> Callable[[NDArray[np.uint8]], list[Floats]]:
    """Return a function from a picture, uint8 [H, W, 3], to the outputs of a Keras network."""
    import tensorflow as tf

    compute = tf.function(
        lambda image: network(image, training=False), input_signature=[tf.TensorSpec([1, None, None, 3], tf.float32)]
    )
    return lambda pixels: [np.asarray(output)[0] for output in compute(pixels[None] / np.float32(255))]


def validation_scenes(count: int, kinds: tuple[str, ...] | None = None) -> Iterator[Scene]:
    """Yield drawn validation scenes, always the same."""
    stream = Stream(VALIDATION_SEED, SIDE, "validation")
    if kinds is not None:
        stream = dataclasses.replace(stream, kinds=kinds)
    return (stream.scene(k) for k in range(count))


def save_finder(network: Any, config: RunConfig, steps: int, path: Path) -> None:
    """Write a trained network as a `.keras` file with its contract."""
    training = {"name": config.data, "count": steps * config.batch_size, "seed": config.seed}
    contract = FinderContract("finder", STRIDES, SIDE, THRESHOLD, training=training, tools=config.versions)
    with whole_file(path) as temporary:
        network.save(temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(MEMBER, contract.to_json())


FORMATS = ("tflite", "onnx")


def export_finder(
    source: Path, folder: Path, scenes: int = 300, formats: Sequence[str] = FORMATS, *, verify: bool = True
) -> dict[str, Path]:
    """Write `finder.tflite`, int8, and `finder.onnx`, float32, into a folder; return them by format.

    Args:
        source: a `.keras` file of save_finder.
        folder: exists.
        formats: of FORMATS.
        scenes: validation scenes that each file is compared on with the network; int8 is calibrated on as many others,
            but at most 200.
        verify: refuse a file that finds less, or more that is not there.

    Raises:
        ArtifactNotFound: no such file; a training writes it after its first epoch.
        ConversionFailed: a converter failed.
        ExportError: a file was refused, and not kept.
    """
    contract = read_finder_contract(source)
    reference = measured(source, scenes)
    used = {"name": "drawn scenes", "count": min(scenes, CALIBRATION_SCENES), "seed": CALIBRATION_SEED}
    contracts = {
        "tflite": dataclasses.replace(contract, format="tflite", precision="int8", calibration=used),
        "onnx": dataclasses.replace(contract, format="onnx"),
    }
    made = {}
    # Converters may crash, and print much.
    with Child("the converter", ConversionFailed) as child:
        models = [child.call(f"{__name__}:convert_here", str(source), name, used["count"]) for name in formats]
    for name, model in zip(formats, models, strict=True):
        described, path = contracts[name], folder / f"finder.{name}"
        made[name] = path
        trial = path.with_name(f".trial{path.suffix}")
        try:
            _write(trial, model, described)
            threshold, measures = at_precision(trial, scenes, reference.get("precision", 0.0))
        finally:
            trial.unlink(missing_ok=True)
        if verify:
            _refuse_loss(path, measures, reference)
        described = dataclasses.replace(described, threshold=threshold, measures={"scenes": scenes, **measures})
        _write(path, model, described)
    return made


def convert_here(source: str, name: str, scenes: int) -> bytes:
    """Return a `.keras` file in another format; called in the child process."""
    import keras

    trained = keras.saving.load_model(source, compile=False)
    return to_tflite(trained, scenes) if name == "tflite" else to_onnx(trained)


def to_tflite(trained: Any, scenes: int) -> bytes:
    """Return a trained network in int8, weights per channel, calibrated on drawn training scenes.

    The file is for 320x320; LiteRT resizes it.
    """
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(_for_export(trained, (1, SIDE, SIDE)))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    stream = Stream(CALIBRATION_SEED, SIDE)
    converter.representative_dataset = lambda: ([stream.scene(k).pixels[None] / np.float32(255)] for k in range(scenes))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return _adjusted(converter.convert())


def _adjusted(flatbuffer: bytes) -> bytes:
    """Return a model with versions that all kernels know, and with the range of heat that counts in its int8 outputs.

    DEPTH_TO_SPACE states version 1: the kernels take int8, and the reference ones know no 2. Heat reaches -60 where
    there is surely nothing, so that steps of the converter's range would be as large as 0.24; beyond HEAT it saturates.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(flatbuffer, 0))
    for code in model.operatorCodes:
        if code.builtinCode == schema.BuiltinOperator.DEPTH_TO_SPACE:
            code.version = 1
    (graph,) = model.subgraphs
    scale = np.float32((HEAT[1] - HEAT[0]) / 255)
    for index in graph.outputs:
        tensor = graph.tensors[index]
        if tensor.shape[-1] == CHANNELS_OF_HEAT:
            tensor.quantization.scale = np.array([scale])
            tensor.quantization.zeroPoint = np.array([round(-128 - HEAT[0] / float(scale))])
    builder = flatbuffers.Builder(len(flatbuffer))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def to_onnx(trained: Any) -> bytes:
    """Return a trained network in float32, for any height and width."""
    import tensorflow as tf
    import tf2onnx

    network = _for_export(trained, (None, None, None))
    signature = [tf.TensorSpec((None, None, None, 3), tf.float32, name="image")]
    function = tf.function(lambda image: network(image, training=False), input_signature=signature)
    graph, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=OPSET)
    graph.graph.name = graph.producer_name = "edgedigits"
    content: bytes = graph.SerializeToString()
    return content


def _for_export(trained: Any, shape: tuple[int | None, int | None, int | None]) -> Any:
    network = build_network(shape=shape, export=True)
    network.set_weights(trained.get_weights())
    return network


def _write(path: Path, model: bytes, contract: FinderContract) -> None:
    if path.suffix == ".onnx":
        write_whole(path, with_metadata(model, ONNX_PROPERTY, contract.to_json()))
    else:
        write_whole(path, append_zipped(model, contract))


def measured(path: Path, scenes: int) -> dict[str, float]:
    """Return recall, precision and others of a finder's `.keras`, `.tflite` or `.onnx` file over drawn scenes."""
    (measures,) = _measured(path, scenes, None).values()
    return measures


def at_precision(path: Path, scenes: int, precision: float) -> tuple[float, dict[str, float]]:
    """Return the first of THRESHOLDS with which a file reaches a precision, or the last, and its measures there."""
    by_threshold = _measured(path, scenes, THRESHOLDS)
    reached = [each for each, measures in by_threshold.items() if measures.get("precision", 1.0) >= precision]
    chosen = min(reached, default=THRESHOLDS[-1])
    return chosen, by_threshold[chosen]


def _measured(path: Path, scenes: int, thresholds: Sequence[float] | None) -> dict[float, dict[str, float]]:
    """Return the measures of a file by threshold; None for its own."""
    if path.suffix == ".keras":
        contract = read_finder_contract(path)
        from edgedigits_exporters.keras_backend import load_keras

        keras = load_keras()
        outputs = outputs_of(keras.saving.load_model(path, compile=False))
    else:
        network = open_finder_network(path, "cpu")
        contract, outputs = network.contract, network.outputs
    tallies = evaluate(outputs, validation_scenes(scenes), thresholds or [contract.threshold])
    # JSON has no NaN.
    return {
        threshold: {name: round(value, 4) for name, value in tally.shares().items() if not np.isnan(value)}
        for threshold, tally in tallies.items()
    }


def losses(measures: dict[str, float], reference: dict[str, float]) -> list[str]:
    """Return what a file lost against its reference, if it is more than MOST_LOST, in words."""
    return [
        f"{name} {measures.get(name, 0.0):.3f}, the reference {reference.get(name, 0.0):.3f}"
        for name in ("recall", "precision")
        if measures.get(name, 0.0) < reference.get(name, 0.0) - MOST_LOST
    ]


def _refuse_loss(path: Path, measures: dict[str, float], reference: dict[str, float]) -> None:
    if lost := losses(measures, reference):
        raise ExportError(
            f"{path.name} has over drawn scenes {'; '.join(lost)}; train longer, or calibrate on other scenes"
        )
