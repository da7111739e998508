"""What can be asked of an export, and what is said of what cannot."""

import dataclasses
import re
import shutil
from pathlib import Path

import pytest

import edgedigits
from edgedigits.exporting import ExportRequest, default_path, export_model
from edgedigits.model_files import SHIPPED
from edgedigits.training.run_folder import RunFolder
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.errors import ArtifactNotFound, ExportError


def test_export_into_a_folder_takes_the_usual_name(tmp_path: Path) -> None:
    assert edgedigits.export("nano", out=tmp_path).path == tmp_path / "nano.tflite"
    assert (tmp_path / "nano.golden.npz").is_file()
    said = f"expected --out to end in .onnx, or to be a folder; got {tmp_path / 'nano'}"
    with pytest.raises(ExportError, match=re.escape(said)):
        edgedigits.export("nano", format="onnx", out=tmp_path / "nano")


def test_options_of_another_format_are_refused() -> None:
    with pytest.raises(ExportError, match="--project says how C is laid out; --format onnx has no choice"):
        edgedigits.export("nano", format="onnx", project="arduino")
    with pytest.raises(ExportError, match="--engine says what runs a page; --format tflite has no choice"):
        edgedigits.export("nano", engine="wasm")
    with pytest.raises(ExportError, match="--kernels says whose rounding C has; --format c-array has no choice"):
        edgedigits.export("nano", format="c-array", kernels="reference")
    for format in ("tflite", "c"):
        with pytest.raises(ExportError, match="--npm-package is for --format web --engine onnxruntime-web"):
            edgedigits.export("nano", format=format, npm_package=Path("a.tgz"))


def test_a_shipped_file_takes_no_report_of_another_model(tmp_path: Path) -> None:
    (tmp_path / "nano.tflite.verify.json").write_text("of another")
    edgedigits.export("nano", out=tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["nano.golden.npz", "nano.tflite"]


def test_a_shipped_file_is_not_handed_out_where_a_contract_is_given(tmp_path: Path) -> None:
    with pytest.raises(ArtifactNotFound, match=r"no contract at gone\.json"):
        export_model(ExportRequest("nano", out=tmp_path, contract=Path("gone.json")))


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
def test_the_usual_path_is_beside_the_model(name: str, file: str) -> None:
    assert default_path(Path("runs/mine/model.keras"), name, ".tflite") == Path("runs/mine") / file
    assert default_path(SHIPPED / "base.keras", name, ".tflite") == Path(file)


@pytest.mark.slow
def test_a_models_name_leads_nowhere_else(small_run: RunFolder, tmp_path: Path) -> None:
    model = Path(shutil.copy(small_run.model, tmp_path))
    given = tmp_path / "given.json"
    given.write_text(dataclasses.replace(read_contract(model), name="../escaped").to_json())
    made = export_model(ExportRequest(model, precision="float32", verify=False, contract=given))
    assert made.path == tmp_path / "escaped.float32.tflite"


def test_a_folder_that_is_no_run_is_not_to_be_resumed(tmp_path: Path) -> None:
    with pytest.raises(ArtifactNotFound, match=r"is no run folder: it has neither model\.keras nor config\.json$"):
        edgedigits.load(tmp_path)
    (tmp_path / "config.json").touch()
    with pytest.raises(ArtifactNotFound, match="finish it with edgedigits train --resume"):
        edgedigits.load(tmp_path)
