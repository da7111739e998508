"""Files of shipped models are compared with the SHA-256 in their cards before they are used."""

import shutil
from pathlib import Path

import pytest

import edgedigits
from benchmarks.shipped_models.card import describe_others
from edgedigits import model_files
from edgedigits.exporting import source
from edgedigits.model_files import SHIPPED, check_shipped, find_keras, find_model, shipped_names
from edgedigits.reports.model_card import read_card
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactNotFound
from tests.conftest import RunCommand


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the folder of shipped models, which replaces it."""
    folder = tmp_path / "models"
    shutil.copytree(SHIPPED, folder)
    monkeypatch.setattr(model_files, "SHIPPED", folder)
    return folder


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_file_has_its_fingerprint(name: str) -> None:
    card = read_card(name)
    assert card is not None
    files = {path.name for path in SHIPPED.glob(f"{name}.*")} - {f"{name}.card.json"}
    assert {*card["files"], *card["other_files"]} == files
    for file in files:
        assert check_shipped(SHIPPED / file) == SHIPPED / file
    assert describe_others(name, SHIPPED) == card["other_files"]


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_weight_that_was_changed(shipped: Path) -> None:
    """No check of structure can see this."""
    flip(shipped / "base.tflite")
    flip(shipped / "pico.keras")
    with pytest.raises(ArtifactCorrupt, match=r"base\.tflite"):
        edgedigits.load()
    with pytest.raises(ArtifactCorrupt, match=r"base\.tflite"):
        find_model(shipped / "base.tflite")
    with pytest.raises(ArtifactCorrupt, match=r"pico\.keras"):
        find_keras("pico")
    assert edgedigits.load("nano").classifier.contract.name == "nano"


def test_a_missing_file_and_a_damaged_card(shipped: Path) -> None:
    (shipped / "pico.onnx").unlink()
    with pytest.raises(ArtifactNotFound, match=r"pico\.onnx"):
        find_model("pico", engine="onnxruntime")
    (shipped / "nano.card.json").write_text("{")
    with pytest.raises(ArtifactCorrupt, match="nano"):
        find_model("nano")
    (shipped / "base.card.json").unlink()
    with pytest.raises(ArtifactNotFound, match=r"base\.card\.json"):
        find_model("base")


def test_a_file_that_no_card_names(shipped: Path) -> None:
    shutil.copy(shipped / "base.tflite", shipped / "base.other.tflite")
    with pytest.raises(ArtifactCorrupt, match=r"base\.other\.tflite"):
        find_model(shipped / "base.other.tflite")


def test_other_peoples_files_have_no_card(tmp_path: Path) -> None:
    path = shutil.copy(SHIPPED / "base.tflite", tmp_path / "mine.tflite")
    flip(path)
    assert find_model(path) == path


def test_golden_vectors_are_compared_too(run_command: RunCommand, shipped: Path) -> None:
    flip(shipped / "pico.golden.npz")
    with pytest.raises(ArtifactCorrupt):
        check_shipped(shipped / "pico.golden.npz")


def test_files_for_pages_and_boards_are_compared(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "SHIPPED", shipped)
    flip(shipped / "pico.wasm")
    flip(shipped / "nano.tflite")
    with pytest.raises(ArtifactCorrupt, match=r"pico\.wasm"):
        edgedigits.export("pico", format="web", out=shipped.parent / "page", verify=False)
    with pytest.raises(ArtifactCorrupt, match=r"nano\.tflite"):
        edgedigits.export("nano", format="c", out=shipped.parent / "c", verify=False)
