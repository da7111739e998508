"""Files of every Keras, made plain Keras 3 files that answer alike."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from edgedigits.importing.keras_source import Keras, is_keras_3, to_keras
from edgedigits.importing.saved_model import saved_model_to_onnx, states_layers
from edgedigits.model_files import SHIPPED
from edgedigits_exporters.untrusted_keras import check
from edgedigits_exporters.untrusted_saved_model import Signature
from edgedigits_runtime.errors import ArtifactUnsupported, ConversionFailed, EdgedigitsError, MissingExtra
from edgedigits_runtime.untrusted import checked_content
from tests.conftest import REPOSITORY, once
from tests.support.new_interpreter import environment

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def keras_2_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of Keras 2; see tests.support.keras_2_models."""

    def make(folder: Path) -> None:
        command = [sys.executable, "-m", "tests.support.keras_2_models", str(folder)]
        done = subprocess.run(command, cwd=REPOSITORY, env=environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]

    return once(tmp_path_factory, "keras 2", make)


@pytest.fixture(scope="module")
def keras() -> Iterator[Keras]:
    """Children with both versions of Keras, which import TensorFlow once."""
    with Keras() as children:
        yield children


def layers_of(path: Path) -> list[str]:
    import keras

    return [type(layer).__name__ for layer in keras.saving.load_model(path, compile=False, safe_mode=True).layers]


ACCEPTED = """
depthwise.h5 depthwise.keras depthwise operations.h5 operations.keras operations teachable.h5 shared.h5 many_layers.h5
arrays.h5 flat.h5 half.h5 older.h5 in_disguise.keras
"""


@pytest.mark.parametrize("name", ACCEPTED.split())
def test_files_of_keras_2_become_files_of_keras_3(
    name: str, keras_2_models: Path, keras: Keras, tmp_path: Path
) -> None:
    out = tmp_path / "out.keras"
    made = keras.convert(keras_2_models / name, out)
    assert made.loaded_with.startswith("tf-keras 2.") and made.inputs == 200
    assert made.difference < (1e-2 if name == "half.h5" else 1e-5)
    check(out)
    assert is_keras_3(out) and not is_keras_3(keras_2_models / name)
    assert list(tmp_path.iterdir()) == [out]


def test_nested_models_are_flat_and_arithmetic_is_rescaling(keras_2_models: Path, keras: Keras, tmp_path: Path) -> None:
    out = tmp_path / "out.keras"
    keras.convert(keras_2_models / "teachable.h5", out)
    assert not {"Functional", "Sequential"}.intersection(layers_of(out))
    keras.convert(keras_2_models / "operations.keras", out)
    assert layers_of(out)[:4] == ["InputLayer", "Rescaling", "Rescaling", "Rescaling"]


REFUSED = {
    "code.h5": "'Lambda'",
    "custom.h5": "'Mine'",
    "two_outputs.h5": "digit, writer",
    "weights.h5": "weights only",
}


@pytest.mark.parametrize("name", REFUSED)
def test_code_several_ends_and_weights_are_refused_without_a_child(
    name: str, keras_2_models: Path, tmp_path: Path
) -> None:
    with Keras() as children:
        with pytest.raises(ArtifactUnsupported, match=REFUSED[name]) as caught:
            children.convert(keras_2_models / name, tmp_path / "out.keras")
        assert children.saved.process is None and children.original.process is None
    assert "\n" not in str(caught.value) and list(tmp_path.iterdir()) == []


def test_a_weight_that_is_missing_is_an_error_and_an_earlier_file_is_kept(
    keras_2_models: Path, keras: Keras, tmp_path: Path
) -> None:
    source, out = tmp_path / "less.h5", tmp_path / "out.keras"
    source.write_bytes((keras_2_models / "flat.h5").read_bytes())
    out.write_bytes(b"earlier")
    with h5py.File(source, "a") as file:
        (group,) = (part for part in file["model_weights"].values() if len(part.attrs.get("weight_names", ())))
        group.attrs["weight_names"] = group.attrs["weight_names"][:1]
    with pytest.raises(ConversionFailed, match=r"less\.h5") as caught:
        keras.convert(source, out)
    assert "\n" not in str(caught.value)
    assert out.read_bytes() == b"earlier" and len(list(tmp_path.iterdir())) == 2


def test_without_tf_keras_keras_3_reads_what_it_can(
    keras_2_models: Path, keras: Keras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    out = tmp_path / "out.keras"
    made = keras.convert(keras_2_models / "flat.h5", out)
    assert made.loaded_with.startswith("Keras 3.") and "[import]" in made.notes[0]
    for name in ("depthwise.h5", "many_layers.h5", "operations.h5", "half.h5", "depthwise"):
        with pytest.raises(MissingExtra, match=r"\[import\]"):
            keras.convert(keras_2_models / name, out)


def test_the_children_import_one_keras_each(keras_2_models: Path, keras: Keras, tmp_path: Path) -> None:
    keras.convert(keras_2_models / "flat.h5", tmp_path / "out.keras")
    for child, own, other in ((keras.original, "tf_keras", "keras"), (keras.saved, "keras", "tf_keras")):
        loaded = child.call("tests.importing.test_keras_source:imported")
        assert own in loaded and other not in loaded


def imported() -> list[str]:
    """The Keras packages that a child imported."""
    return [name for name in ("keras", "tf_keras") if name in sys.modules]


def keras_3_model() -> Any:
    import keras

    layers = keras.layers
    image = layers.Input((12, 12, 3))
    x = layers.Conv2D(4, 3, activation="relu")(layers.Rescaling(1 / 255)(image))
    return keras.Model(image, layers.Dense(10, activation="softmax")(layers.Flatten()(x)))


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_files_of_keras_3_are_saved_again(keras: Keras, tmp_path: Path) -> None:
    model = keras_3_model()
    model.compile("adam", "sparse_categorical_crossentropy")
    source, out = tmp_path / "new.h5", tmp_path / "out.keras"
    model.save(source)
    made = keras.convert(source, out)
    assert made.loaded_with.startswith("Keras 3.") and made.difference == 0 and made.notes == ()
    assert is_keras_3(out) and is_keras_3(SHIPPED / "pico.keras") and not is_keras_3(source)
    assert keras.convert(out, out).difference == 0


def test_a_saved_model_of_keras_3_becomes_an_onnx_file(tmp_path: Path) -> None:
    import onnxruntime

    model = keras_3_model()
    source, out = tmp_path / "exported", tmp_path / "out.onnx"
    model.export(source, verbose=False)
    assert not states_layers(source)
    with pytest.raises(ArtifactUnsupported, match="onnx"):
        to_keras(source, out)
    made = saved_model_to_onnx(source, out)
    assert made.loaded_with.startswith("TensorFlow 2.") and made.inputs == 200
    images = np.random.default_rng(1).random((3, 12, 12, 3), np.float32) * 255
    session = onnxruntime.InferenceSession(checked_content(out))
    (answers,) = session.run(None, {session.get_inputs()[0].name: images})
    assert len(session.get_inputs()) == 1
    np.testing.assert_allclose(answers, model.predict(images, verbose=0), atol=1e-5)


def test_a_graph_that_reads_a_file_is_refused_before_it_runs(tmp_path: Path) -> None:
    import tensorflow as tf

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, 4))])
        def serve(self, image: Any) -> Any:
            tf.io.write_file(str(tmp_path / "written"), "x")
            return {"output": image * 2}

    module = Module()
    source = tmp_path / "m"
    tf.saved_model.save(module, source, signatures=module.serve)
    for convert in (to_keras, saved_model_to_onnx):
        with pytest.raises(ArtifactUnsupported, match="WriteFile"):
            convert(source, tmp_path / "out")
    assert not (tmp_path / "written").exists()


def test_errors_are_of_one_kind() -> None:
    for convert in (to_keras, saved_model_to_onnx):
        with pytest.raises(EdgedigitsError):
            convert(Path("none.h5"), Path("out"))


def test_a_failed_conversion_of_a_saved_model_names_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConversionFailed("InvalidGraph: " + "a node, " * 500)

    monkeypatch.setattr("edgedigits_exporters.untrusted_saved_model.check", lambda _: Signature("serve", (), ()))
    monkeypatch.setattr("edgedigits_runtime.child_process.Child.call", fail)
    with pytest.raises(ConversionFailed, match=r"model\.save") as failed:
        saved_model_to_onnx(tmp_path, tmp_path / "out.onnx")
    assert len(str(failed.value)) < 500
