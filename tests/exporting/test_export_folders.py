"""Exports to a folder: C, a C array and a page."""

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import edgedigits
from edgedigits.data import load_dataset
from edgedigits.data.dataset import Dataset, Samples
from edgedigits.exporting.export import export_model
from edgedigits.exporting.plan import ExportRequest
from edgedigits.training.data_of_model import DataOptions, remembered
from edgedigits.training.run_folder import RunConfig, RunFolder
from edgedigits.verification.verify import verify_artifact
from edgedigits_exporters import conversion, tflite
from edgedigits_runtime.embedded_contract import append_zipped, read_contract
from edgedigits_runtime.errors import (
    ArtifactCorrupt,
    ArtifactNotFound,
    ArtifactUnsupported,
    DataNotFound,
    EdgedigitsError,
    ExportError,
    GateMissed,
    OutputNotWritable,
    ToolMissing,
    UnknownName,
)
from tests.support.needs import needs
from tests.support.tiny_models import (
    LABELS,
    contract,
    int8_contract,
    labelled_pictures,
    onnx_bytes,
    tflite_bytes,
    write_tflite,
)

FORMATS = ["c", "c-array", pytest.param("web", marks=[pytest.mark.slow, needs("clang", "wasm-ld")])]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The newest run of the working folder; its conversion, which takes seconds, is replaced by a tiny model."""

    def convert(_: Path, path: Path, __: tflite.TfliteOptions) -> Path:
        path.write_bytes(append_zipped(tflite_bytes(None, "int8"), int8_contract()))
        return path

    monkeypatch.setattr(tflite, "export", convert)
    monkeypatch.setattr(tflite, "compare", lambda *_: None)
    monkeypatch.setattr(conversion, "require_keras", lambda: None)
    monkeypatch.setattr(conversion, "check", lambda _: None)
    monkeypatch.chdir(tmp_path)
    folder = Path("runs/v1.2")
    folder.mkdir(parents=True)
    (folder / "model.keras").write_bytes(append_zipped(b"", contract()))
    return folder


def test_a_tflite_file_becomes_c(tmp_path: Path) -> None:
    model = write_tflite(tmp_path, "int8")
    made = edgedigits.export(model, format="c", verify=False)
    assert made.path == tmp_path / "tiny-c"
    assert made.contract is not None and made.contract.format == "c"
    assert made.unproven == "--no-verify" and not made.replaced
    with pytest.raises(OutputNotWritable, match=r"tiny-c \(tiny, c int8, of .*--force"):
        edgedigits.export(model, format="c", verify=False)
    again = edgedigits.export(model, format="c", verify=False, force=True, kernels="reference")
    assert again.path == made.path and again.replaced.startswith(f"{made.path} (tiny, c int8, of ")
    assert '#define DIGITS_KERNELS "reference"' in (made.path / "digits.h").read_text()


def test_without_data_a_note_says_that_nothing_was_compared(tmp_path: Path) -> None:
    made = edgedigits.export(write_tflite(tmp_path, "int8"), format="c")
    assert made.verification is None
    assert not made.notes and "--data" in made.unproven


def test_without_a_compiler_a_note_says_that_nothing_was_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "gone")
    made = edgedigits.export(write_tflite(tmp_path, "int8"), format="c", data="optdigits")
    assert made.verification is None
    assert not made.notes and "no C compiler" in made.unproven and "tiny-c has to be" in made.unproven


def test_a_shipped_file_says_what_it_replaces_and_is_proven(tmp_path: Path) -> None:
    (tmp_path / "nano.tflite").write_text("mine")
    made = edgedigits.export("nano", out=tmp_path)
    assert "a file without a contract" in made.replaced and not made.unproven
    assert "nano, tflite int8" in edgedigits.export("nano", out=tmp_path).replaced


@pytest.mark.parametrize("format", FORMATS)
def test_the_newest_run_becomes_a_folder_beside_its_model(run: Path, format: str) -> None:
    made = edgedigits.export(format=format, verify=False)
    assert made.path == run / f"tiny-{format}"
    assert any(made.path.iterdir())
    assert made.contract is not None
    assert (made.contract.name, made.contract.precision) == ("tiny", "int8")


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_foreign_array_has_the_precision_of_its_file(precision: str, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.tflite"
    foreign.write_bytes(tflite_bytes(None, precision))
    made = edgedigits.export(foreign, format="c-array")
    assert (made.contract, made.precision) == (None, precision)


@pytest.mark.slow
@pytest.mark.parametrize("format", [pytest.param("c", marks=needs("cc")), "c-array"])
def test_a_trained_run_becomes_a_folder(small_run: RunFolder, format: str, tmp_path: Path) -> None:
    shutil.copytree(small_run.path, tmp_path / "v1.2")
    made = edgedigits.export(tmp_path / "v1.2", format=format)
    assert made.path == tmp_path / "v1.2" / f"plain-3conv-{format}"
    assert made.contract is not None and made.contract.name == "plain-3conv"
    if format == "c":
        assert made.verification is not None and made.verification.comparison.max_probability_error == 0


def write_pictures(folder: Path, count: int) -> None:
    """Write pictures that the tiny model reads right, `count` for each label."""
    for number, (image, label) in enumerate(zip(*labelled_pictures(count), strict=True)):
        place = folder / LABELS[label]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(place / f"{number}.png")


@needs("cc")
@pytest.mark.parametrize("format", ["c", pytest.param("web", marks=pytest.mark.slow)])
def test_a_run_is_compared_on_its_own_dataset(run: Path, format: str) -> None:
    for split, count in (("train", 10), ("test", 3)):
        write_pictures(Path("pictures", split), count)
    config = RunConfig("plain-3conv", "pictures", None, 1, 32, 0, None, "cpu", "", {}, {})
    RunFolder(run).write_config(config)
    RunFolder(run).checkpoint.touch()
    made = edgedigits.export(format=format)
    assert "compared" in made.unproven
    assert made.verification is not None and made.verification.passed
    assert made.verification.comparison.images == 30


@needs("cc")
def test_an_export_finds_the_pictures_of_its_import(tmp_path: Path) -> None:
    model = tmp_path / "models" / "mine.tflite"
    model.parent.mkdir()
    write_pictures(tmp_path / "pictures", 3)
    data = remembered(DataOptions(str(tmp_path / "pictures")), load_dataset(str(tmp_path / "pictures")), model)
    model.write_bytes(append_zipped(tflite_bytes(None, "int8"), int8_contract(data=data)))
    made = edgedigits.export(model, format="c", out=tmp_path / "far" / "away" / "c")
    assert made.verification is not None and made.verification.comparison.images == 30
    assert any("fewer than 10" in note for note in made.notes)
    found = read_contract(made.path).data
    assert found is not None and found.name == "../../pictures"
    assert edgedigits.verify(made.path).dataset == "pictures"


def test_an_unusable_conversion_is_named_as_the_artifact(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def convert(_: Path, path: Path, __: tflite.TfliteOptions) -> None:
        path.write_bytes(append_zipped(b"junk", int8_contract()))

    monkeypatch.setattr(tflite, "export", convert)
    with pytest.raises(ArtifactCorrupt) as refused:
        edgedigits.export(run, out=run / "mine.tflite", verify=False)
    assert "mine.tflite" in str(refused.value) and ".tmp" not in str(refused.value)


@needs("cc")
def test_the_report_of_a_refused_conversion_stays_beside_the_folder(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, reference = Path("tiny.tflite"), Path("tiny.onnx")
    ours.write_bytes(tflite_bytes(contract(polarity="dark-on-bright")))
    reference.write_bytes(onnx_bytes(contract()))
    failing = verify_artifact(ours, reference, Samples(*labelled_pictures(2)), "test")
    monkeypatch.setattr(tflite, "compare", lambda *_: failing)
    with pytest.raises(GateMissed, match=r"tiny-c\.verify\.json"):
        edgedigits.export(run, format="c")
    assert [path.name for path in run.iterdir() if path.suffix == ".json"] == ["tiny-c.verify.json"]


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("../../../escaped", "escaped-c"),
        ("/absolute", "absolute-c"),
        ("a/b", "a-b-c"),
        (".hidden", "hidden-c"),
        ("..", "model-c"),
        ("Größe 1.5", "Größe 1.5-c"),
    ],
)
def test_a_model_name_cannot_leave_the_folder(tmp_path: Path, name: str, folder: str) -> None:
    model = tmp_path / "models" / "strange.tflite"
    model.parent.mkdir()
    model.write_bytes(append_zipped(tflite_bytes(None, "int8"), int8_contract(name=name)))
    made = edgedigits.export(model, format="c", verify=False)
    assert made.path == model.parent / folder
    assert sorted(tmp_path.iterdir()) == [model.parent]


@pytest.mark.parametrize(
    ("change", "error", "fact"),
    [
        ({"out": Path("existing")}, OutputNotWritable, "existing"),
        ({"format": "c-array"}, OutputNotWritable, "tiny-c-array"),
        ({"format": "web"}, ToolMissing, "apt-get install clang lld"),
        ({"format": "web", "options": {"engine": "onnxruntime-web"}}, ToolMissing, "npm pack onnxruntime-web"),
    ],
)
def test_requests_refused_before_the_conversion(
    run: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], error: type[EdgedigitsError], fact: str
) -> None:
    def convert(*_: object) -> Path:
        raise AssertionError("converted before")

    monkeypatch.setattr(tflite, "export", convert)
    monkeypatch.setenv("PATH", str(run))
    Path("existing").mkdir()
    (run / "tiny-c-array").mkdir()
    with pytest.raises(error, match=fact):
        export_model(dataclasses.replace(ExportRequest(format="c"), **change))


@needs("cc")
@pytest.mark.slow
def test_a_shipped_model_equals_litert_in_every_value(mnist: Dataset, tmp_path: Path) -> None:
    try:
        made = edgedigits.export("pico", format="c", project="cmake", out=tmp_path / "pico")
    except DataNotFound:
        pytest.skip("MNIST is not here")
    assert made.verification is not None
    assert made.verification.passed
    assert made.verification.comparison.images == 10_000
    assert made.verification.comparison.max_probability_error == 0


@pytest.mark.parametrize(
    ("change", "error", "fact"),
    [
        ({"model": "gone.tflite"}, ArtifactNotFound, "gone.tflite"),
        ({"model": "float"}, ArtifactUnsupported, "int8"),
        ({"model": "mine.pt"}, UnknownName, r"'.pt'.* .tflite, .keras, .onnx"),
        ({"model": "c"}, ExportError, "digits.tflite"),
        ({"precision": "float16"}, ExportError, "int8.*float16"),
        ({"format": "c++"}, UnknownName, r"'c\+\+'.* onnx, tflite, c, c-array, web"),
        ({"project": "maven"}, UnknownName, "plain, arduino, cmake, esp-idf, zephyr, platformio"),
    ],
)
def test_refused_requests(tmp_path: Path, change: dict[str, str], error: type[EdgedigitsError], fact: str) -> None:
    if change.get("model") == "float":
        change = {"model": str(write_tflite(tmp_path, "float32"))}
    if change.get("model") == "c":
        (tmp_path / "made").mkdir()
        (tmp_path / "made" / "digits.c").touch()
        change = {"model": str(tmp_path / "made")}
    wanted: dict[str, object] = {"model": "pico", "format": "c", "out": tmp_path / "out", **change}
    with pytest.raises(error, match=fact):
        edgedigits.export(**wanted)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()
