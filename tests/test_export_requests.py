"""What can be asked of an export, and what is said of what cannot."""

import re
from pathlib import Path

import pytest

import edgedigits
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


def test_a_folder_that_is_no_run_is_not_to_be_resumed(tmp_path: Path) -> None:
    with pytest.raises(ArtifactNotFound, match=r"is no run folder: it has neither model\.keras nor config\.json$"):
        edgedigits.load(tmp_path)
    (tmp_path / "config.json").touch()
    with pytest.raises(ArtifactNotFound, match="finish it with edgedigits train --resume"):
        edgedigits.load(tmp_path)
