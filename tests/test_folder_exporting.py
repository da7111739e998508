"""From MODEL to a folder: what comes out of the library call, and what is refused before anything is written."""

from pathlib import Path

import pytest
from tiny_models import write_onnx, write_tflite

import edgedigits
from edgedigits_runtime.errors import (
    ArtifactNotFound,
    ArtifactUnsupported,
    DataNotFound,
    EdgedigitsError,
    ExportError,
    OutputNotWritable,
    UnknownName,
)


def test_a_persons_own_tflite_becomes_c(tmp_path: Path) -> None:
    model = write_tflite(tmp_path, "int8")
    made = edgedigits.export(model, format="c", verify=False)
    assert made.path == tmp_path / "tiny-c"
    assert made.contract is not None and made.contract.format == "c"
    with pytest.raises(OutputNotWritable, match="exists and is left as it is"):
        edgedigits.export(model, format="c", verify=False)
    assert edgedigits.export(model, format="c", verify=False, force=True, kernels="reference").path == made.path
    assert '#define DIGITS_KERNELS "reference"' in (made.path / "digits.h").read_text()


def test_without_its_data_it_says_that_it_was_not_compared(tmp_path: Path) -> None:
    made = edgedigits.export(write_tflite(tmp_path, "int8"), format="c")
    assert made.verification is None
    assert [note.split(":")[0] for note in made.notes] == ["not compared with LiteRT"]


@pytest.mark.slow
def test_a_shipped_model_is_compared_value_by_value(tmp_path: Path) -> None:
    try:
        made = edgedigits.export("pico", format="c", project="cmake", out=tmp_path / "pico")
    except DataNotFound:
        pytest.skip("MNIST is not here")
    assert made.verification is not None
    assert made.verification.passed
    assert made.verification.comparison.images == 10_000
    assert made.verification.comparison.max_probability_error == 0


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"model": "gone.tflite"}, ArtifactNotFound, "no model file at gone.tflite"),
        ({"model": "float"}, ArtifactUnsupported, "int8"),
        ({"model": "onnx"}, UnknownName, r"'.onnx'; known: .tflite, .keras"),
        ({"model": "c"}, ExportError, "is a C export already"),
        ({"precision": "float16"}, ExportError, "made of an int8 model; got --precision float16"),
        ({"format": "c++"}, UnknownName, r"unknown format 'c\+\+'; known: onnx, tflite, c, c-array, web"),
        ({"project": "maven"}, UnknownName, "known: plain, arduino, cmake"),
    ],
)
def test_what_is_refused(tmp_path: Path, change: dict[str, str], error: type[EdgedigitsError], words: str) -> None:
    if change.get("model") == "float":
        change = {"model": str(write_tflite(tmp_path, "float32"))}
    if change.get("model") == "onnx":
        change = {"model": str(write_onnx(tmp_path))}
    if change.get("model") == "c":
        (tmp_path / "made").mkdir()
        (tmp_path / "made" / "digits.c").touch()
        change = {"model": str(tmp_path / "made")}
    wanted: dict[str, object] = {"model": "pico", "format": "c", "out": tmp_path / "out", **change}
    with pytest.raises(error, match=words):
        edgedigits.export(**wanted)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()
