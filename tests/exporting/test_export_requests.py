"""Requests of an export: paths, options and shipped files."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

import edgedigits
from edgedigits.exporting.source import default_path
from edgedigits.model_files import SHIPPED
from edgedigits.training.run_folder import RunFolder
from edgedigits_exporters.keras_file import with_contract
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.errors import ArtifactNotFound, ExportError


def test_export_into_a_folder_uses_the_default_name(tmp_path: Path) -> None:
    assert edgedigits.export("nano", out=tmp_path).path == tmp_path / "nano.tflite"
    assert (tmp_path / "nano.golden.npz").is_file()
    with pytest.raises(ExportError, match=r"\.onnx"):
        edgedigits.export("nano", format="onnx", out=tmp_path / "nano")


@pytest.mark.parametrize(
    ("format", "option", "value"),
    [
        ("onnx", "project", "arduino"),
        ("tflite", "engine", "wasm"),
        ("c-array", "kernels", "reference"),
        ("tflite", "npm_package", Path("a.tgz")),
        ("c", "npm_package", Path("a.tgz")),
    ],
)
def test_an_option_of_another_format_is_refused(format: str, option: str, value: object) -> None:
    arguments: dict[str, Any] = {"format": format, option: value}
    with pytest.raises(ExportError) as caught:
        edgedigits.export("nano", **arguments)
    for fact in (f"--format {format}", f"--{option.replace('_', '-')}"):
        assert fact in str(caught.value)


def test_an_npm_package_needs_its_engine() -> None:
    with pytest.raises(ExportError, match="--engine onnxruntime-web"):
        edgedigits.export("nano", format="web", npm_package=Path("a.tgz"))


def test_a_copied_shipped_file_has_no_report_of_an_earlier_file(tmp_path: Path) -> None:
    (tmp_path / "nano.tflite.verify.json").write_text("of an earlier file")
    edgedigits.export("nano", out=tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["nano.golden.npz", "nano.tflite"]


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("plain-3conv", "plain-3conv.tflite"),
        ("Größe 1.5", "Größe 1.5.tflite"),
        ("../../../escaped", "escaped.tflite"),
        ("..\\up", "up.tflite"),
        ("/absolute", "absolute.tflite"),
        ("c:drive", "c-drive.tflite"),
        ("a\0b", "a-b.tflite"),
        (".hidden", "hidden.tflite"),
        ("\ud800", "model.tflite"),
        ("...", "model.tflite"),
        ("", "model.tflite"),
    ],
)
def test_the_default_path_is_beside_the_model(name: str, file: str) -> None:
    assert default_path(Path("runs/mine/model.keras"), name, ".tflite") == Path("runs/mine") / file
    assert default_path(SHIPPED / "base.keras", name, ".tflite") == Path(file)


@pytest.mark.slow
def test_a_model_name_cannot_leave_the_folder(small_run: RunFolder, tmp_path: Path) -> None:
    model = tmp_path / "model.keras"
    escaping = dataclasses.replace(read_contract(small_run.model), name="../escaped")
    model.write_bytes(with_contract(small_run.model.read_bytes(), escaping))
    made = edgedigits.export(model, precision="float32", verify=False)
    assert made.path == tmp_path / "escaped.float32.tflite"


def test_a_folder_without_a_finished_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactNotFound, match=r"model\.keras.*config\.json"):
        edgedigits.load(tmp_path)
    (tmp_path / "config.json").touch()
    with pytest.raises(ArtifactNotFound, match="train --resume"):
        edgedigits.load(tmp_path)
