"""Kinds of `.tflite` file: precisions, ranks, input scales and labels inside."""

import dataclasses
import zipfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.imports import bare, pictures
from benchmarks.imports.keras_kinds import FEEDS
from benchmarks.imports.kind import Kind, Source, stated_for
from benchmarks.imports.trained import INPUTS, base_layers, base_network, refed

CALIBRATION = 100


@dataclass(frozen=True)
class Form:
    """How the base network is written; `shape` is that of its input, `ends` the dtype of input and output."""

    precision: str = "float32"
    ends: str = "float32"
    shape: tuple[int, ...] = (1, 28, 28, 1)
    given: str = "unit"


def write(form: Form, path: Path, networks: Path) -> Path:
    """Write the base network in a form."""
    import tensorflow as tf

    network = base_layers(shape=(1, 784) if len(form.shape) == 1 else form.shape)
    network.set_weights(refed(base_network(networks), *INPUTS[form.given]))
    if len(form.shape) == 1:
        function = tf.function(
            lambda image: network(tf.reshape(image, (1, 784)))[0],
            input_signature=[tf.TensorSpec(form.shape, tf.float32)],
        )
        holder = tf.Module()
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], holder)
    else:
        converter = tf.lite.TFLiteConverter.from_keras_model(network)
    if form.precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if form.precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if form.precision in ("int8", "int16"):
        values = FEEDS[form.given](pictures.digits().images[:CALIBRATION]).reshape(-1, *form.shape)
        converter.representative_dataset = lambda: ([value] for value in values)
        built_in = tf.lite.OpsSet.TFLITE_BUILTINS_INT8
        if form.precision == "int16":
            built_in = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        converter.target_spec.supported_ops = [built_in]
        converter.inference_input_type = converter.inference_output_type = getattr(tf, form.ends)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(converter.convert())
    return path


def _build(form: Form, place: Path) -> Source:
    path = place / "model.tflite"
    if not path.is_file():
        write(form, path, place.parent)
    return _source(path, form)


def _source(path: Path, form: Form) -> Source:
    images, feed = pictures.compared_digits(), FEEDS[form.given]
    return Source(path, images, bare.answers(path, feed(images)), feed, stated=stated_for(feed))


def _with_labels(place: Path) -> Source:
    """Write a file with its labels in a zip behind the model, as TFLite Metadata has them."""
    form = Form("int8", "uint8")
    path = place / "model.tflite"
    if not path.is_file():
        write(form, path, place.parent)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("labels.txt", "\n".join("0123456789"))
    return dataclasses.replace(_source(path, form), options={})


def _shapes(place: Path) -> Source:
    """Write a network of coloured shapes as int8, whose data names the labels."""
    import tensorflow as tf

    from benchmarks.imports.keras_kinds import KINDS as KERAS

    (kind,) = (kind for kind in KERAS if kind.name == "Rescaling, RGB, folder")
    known = kind.build(place)
    path = place / "model.tflite"
    if not path.is_file():
        import keras

        converter = tf.lite.TFLiteConverter.from_keras_model(keras.models.load_model(known.path))
        path.write_bytes(converter.convert())
    return dataclasses.replace(known, path=path, answers=bare.answers(path, known.feed(known.images)))


def _kind(name: str, form: Form) -> Kind:
    return Kind("TFLite", name, partial(_build, form))


KINDS = [
    _kind("float32", Form()),
    _kind("float16", Form("float16")),
    _kind("hybrid (dynamic range)", Form("dynamic")),
    _kind("int8", Form("int8", "int8")),
    _kind("uint8 ends", Form("int8", "uint8")),
    _kind("int8, float ends", Form("int8")),
    _kind("int16 activations, float ends", Form("int16")),
    _kind("int8, raw pixels", Form("int8", "int8", given="raw")),
    _kind("int8, pixels -1..1", Form("int8", "int8", given="-1..1")),
    _kind("[1, 28, 28], int8", Form("int8", "int8", (1, 28, 28))),
    _kind("[1, 784]", Form(shape=(1, 784))),
    _kind("[784], int8", Form("int8", "int8", (784,))),
    Kind("TFLite", "labels in the file", _with_labels),
    Kind("TFLite", "RGB, folder", _shapes),
]
