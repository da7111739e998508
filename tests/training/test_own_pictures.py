"""A user's pictures: three classes of 32x32 colour pictures through every command."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import RunCommand

pytestmark = pytest.mark.slow

CLASSES = {"blue sky": (40, 90, 220), "grass": (40, 180, 60), "rust": (190, 80, 30)}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Sixty noisy pictures of each class, one sub-folder each."""
    rng = np.random.default_rng(5)
    folder = tmp_path / "pictures"
    for name, colour in CLASSES.items():
        (folder / name).mkdir(parents=True)
        for number in range(60):
            pixels = np.clip(rng.normal(colour, 25, (32, 32, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def test_three_colour_classes_through_every_command(run_here: RunCommand, pictures: Path, tmp_path: Path) -> None:
    run_here("train", "--data", pictures, "--recipe", "plain-2conv", "--epochs", 4, "--out", "run")
    for name, precision in (("tflite", "int8"), ("onnx", "float32")):
        made = run_here("export", "run", "--format", name, "--precision", precision).stdout
        assert "passed" in made
    report = json.loads(run_here("verify", "run/plain-2conv.int8.tflite", "--json").stdout)
    assert report["passed"] and set(report["comparison"]["per_class_change"]) == set(CLASSES)
    for artifact in ("run/plain-2conv.int8.tflite", "run/plain-2conv.float32.onnx", "run"):
        first = [pictures / name / "0.png" for name in CLASSES]
        lines = run_here("predict", *first, "--model", artifact, "--json").stdout.splitlines()
        for name, line in zip(CLASSES, lines, strict=True):
            reading = json.loads(line)
            assert reading["text"] == name and reading["digits"][0]["digit"] is None
            assert reading["digits"][0]["box"] == [0, 0, 32, 32]
    contract = json.loads(run_here("models", "show", "run/plain-2conv.int8.tflite", "--contract").stdout)
    assert contract["labels"] == sorted(CLASSES) and contract["input"]["shape"] == [1, 32, 32, 3]
    assert contract["reader"] == "plain"


def test_too_small_images_are_refused_with_the_smallest_size(run_here: RunCommand, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "tiny" / name).mkdir(parents=True)
        for number in range(20):
            Image.new("L", (9, 9), number).save(tmp_path / "tiny" / name / f"{number}.png")
    done = run_here("train", "--data", "tiny", "--recipe", "plain-3conv", check=1)
    assert "9x9" in done.stderr and "18" in done.stderr
    assert not (tmp_path / "runs").exists()
