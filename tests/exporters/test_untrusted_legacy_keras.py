"""Untrusted files of Keras 2: what they state is read without Keras, and classes and functions are checked."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits.model_files import SHIPPED
from edgedigits_exporters.untrusted_legacy_keras import KerasFile, check_legacy_config, read_keras_file
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactError, ArtifactNotFound, ArtifactUnsupported
from tests.support.damaged_bytes import damaged
from tests.support.protobuf_messages import message, write_saved_model

DENSE = {"class_name": "Dense", "config": {"name": "dense", "units": 10, "batch_input_shape": [None, 784]}}
MODEL = {"class_name": "Sequential", "config": {"name": "net", "layers": [DENSE]}}


def hdf5(**attributes: Any) -> bytes:
    """An HDF5 file with attributes and the weights of a dense layer."""
    file = io.BytesIO()
    with h5py.File(file, "w") as archive:
        archive.attrs.update(attributes)
        archive.create_dataset("model_weights/dense/kernel", data=np.zeros((784, 10), np.float32))
    return file.getvalue()


def read(content: bytes, folder: Path, name: str = "x.h5") -> KerasFile:
    path = folder / name
    path.write_bytes(content)
    return read_keras_file(path)


@pytest.mark.parametrize("name", ["x.h5", "x.hdf5", "x.keras", "x"])
def test_hdf5_is_known_by_its_content(name: str, tmp_path: Path) -> None:
    found = read(hdf5(model_config=json.dumps(MODEL), keras_version="2.2.4"), tmp_path, name)
    assert (found.kind, found.config, found.version, found.legacy) == ("h5", MODEL, "2.2.4", True)


def test_texts_of_old_files_are_bytes(tmp_path: Path) -> None:
    found = read(hdf5(model_config=json.dumps(MODEL).encode(), keras_version=b"2.0.9"), tmp_path)
    assert (found.config, found.version) == (MODEL, "2.0.9")


def test_the_version_may_be_with_the_weights_or_nowhere(tmp_path: Path) -> None:
    assert read(hdf5(model_config=json.dumps(MODEL)), tmp_path).legacy
    path = tmp_path / "x.h5"
    with h5py.File(path, "a") as file:
        file["model_weights"].attrs["keras_version"] = b"3.1.0"
    assert not read_keras_file(path).legacy


def test_zips_of_both_versions_are_read(tmp_path: Path) -> None:
    assert not read_keras_file(SHIPPED / "pico.keras").legacy
    path = tmp_path / "x.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "2.13.1"}))
        archive.writestr("config.json", json.dumps(MODEL))
        archive.writestr("model.weights.h5", hdf5())
    found = read_keras_file(path)
    assert (found.kind, found.config, found.legacy, found.weights) == ("keras", MODEL, True, hdf5())


def test_a_saved_model_of_keras_2_is_read(tmp_path: Path) -> None:
    folder = write_saved_model(tmp_path / "m")
    text = json.dumps({**MODEL, "keras_version": "2.11.0"})
    (folder / "keras_metadata.pb").write_bytes(
        message((1, message((3, "root"), (4, "_tf_keras_sequential"), (5, text))))
    )
    found = read_keras_file(folder)
    assert (found.kind, found.config["config"], found.version) == ("saved_model", MODEL["config"], "2.11.0")


REFUSED: dict[str, tuple[bytes, str]] = {
    "weights of Keras 2": (hdf5(layer_names=[b"dense"]), "weights only"),
    "no model": (hdf5(), "no Keras model"),
    "a class of its own": (hdf5(model_config=json.dumps({"class_name": "MyNet", "config": {}})), "'MyNet'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_files_without_a_network_are_refused(case: str, tmp_path: Path) -> None:
    content, fact = REFUSED[case]
    with pytest.raises(ArtifactUnsupported, match=fact):
        read(content, tmp_path)


def test_weights_of_keras_3_are_refused_as_such(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.weights.h5", "w") as file:
        file.create_dataset("layers/dense/vars/0", data=np.zeros(3))
    with pytest.raises(ArtifactUnsupported, match="weights only"):
        read_keras_file(tmp_path / "x.weights.h5")


def test_damaged_and_other_files_are_refused(tmp_path: Path) -> None:
    whole = hdf5(model_config=json.dumps(MODEL))
    for content in (
        whole[: len(whole) // 2],
        whole[:100],
        b"",
        b"GIF89a",
        hdf5(model_config="{"),
        hdf5(model_config=3),
    ):
        with pytest.raises(ArtifactCorrupt, match=r"x\.h5"):
            read(content, tmp_path)
    with pytest.raises(ArtifactCorrupt, match="version"):
        read(hdf5(model_config=json.dumps(MODEL), keras_version="two"), tmp_path)
    with pytest.raises(ArtifactNotFound):
        read_keras_file(tmp_path / "none.h5")


def test_links_to_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    path.write_bytes(hdf5(model_config=json.dumps(MODEL)))
    with h5py.File(path, "a") as file:
        file["model_weights/other"] = h5py.ExternalLink("/etc/passwd", "/x")
    with pytest.raises(ArtifactError, match="link"):
        read_keras_file(path)


WHOLE = hdf5(model_config=json.dumps(MODEL), keras_version="2.2.4")


@given(data=st.data())
def test_damaged_bytes_are_read_or_refused(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    try:
        read(damaged(WHOLE, data), tmp_path_factory.getbasetemp())
    except ArtifactError as error:
        assert "\n" not in str(error)


def checked(*layers: Any, functions: tuple[str, ...] = ("math.truediv",)) -> None:
    check_legacy_config({"class_name": "Functional", "config": {"layers": list(layers)}}, functions, "x.h5")


def caller(function: Any, kind: str = "TFOpLambda") -> dict[str, Any]:
    return {"class_name": kind, "config": {"name": "call", "function": function}}


def test_layers_and_functions_of_a_network_pass() -> None:
    checked(DENSE, {**MODEL, "config": {"layers": [DENSE]}}, caller("math.truediv"))


@pytest.mark.parametrize(
    "layer",
    [
        {"class_name": "Lambda", "config": {"function": ["4wEAAAAA", None, None], "name": "mine"}},
        {"class_name": "Mine", "config": {}},
        {"class_name": "TensorFlowOpLayer", "config": {"node_def": "..."}},
        {"class_name": "ClassMethod", "config": {"cls_symbol": "io", "method_name": "write_file"}},
        {"class_name": "Bidirectional", "config": {"layer": {"class_name": "Lambda", "config": {}}}},
        {"class_name": "Dense", "config": {"units": 10, "activation": {"class_name": "Mine"}}},
    ],
    ids=lambda layer: layer["class_name"],
)
def test_classes_that_may_contain_code_are_refused(layer: Any) -> None:
    with pytest.raises(ArtifactUnsupported, match=r"x\.h5 has a class"):
        checked(DENSE, layer)


@pytest.mark.parametrize("function", ["io.write_file", "numpy_function", "py_function", "load_op_library", None])
def test_other_functions_are_refused(function: Any) -> None:
    with pytest.raises(ArtifactUnsupported, match=str(function)):
        checked(caller(function))
    with pytest.raises(ArtifactUnsupported, match="getitem"):
        checked(caller("__operators__.getitem", "SlicingOpLambda"))


def test_large_sizes_are_refused() -> None:
    with pytest.raises(ArtifactUnsupported, match="units"):
        checked({"class_name": "Dense", "config": {"units": 10**9}})
