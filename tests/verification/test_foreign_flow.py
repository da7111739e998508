"""A foreign model from its file to proven C, by the commands that a user types."""

from pathlib import Path

import pytest
from PIL import Image

from edgedigits_runtime.synthetic.samples import mnist_like
from tests.conftest import RunCommand
from tests.support.foreign_models import bare_tflite
from tests.support.needs import needs

pytestmark = pytest.mark.slow


def write_digits(folder: Path, moved: int = 0) -> None:
    """Draw 20 digits of each class into the folder of its label, or of a label further on."""
    for number, (image, label) in enumerate(zip(*mnist_like(200, 4), strict=True)):
        place = folder / str((label + moved) % 10)
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{number}.png")


@needs("cc")
def test_a_foreign_file_is_exported_verified_and_tested(run_here: RunCommand, tmp_path: Path) -> None:
    bare_tflite(tmp_path / "mine.tflite", "nano")
    write_digits(tmp_path / "digits")
    made = run_here("export", "mine.tflite", "--format", "c", "--data", "digits").stdout
    assert "passed (max flips 0, max probability error 0)" in made
    proven = run_here("verify", "mine-c", "--data", "digits").stdout
    assert "LiteRT" in proven and "Keras" not in proven and "passed" in proven
    assert run_here("selftest", "mine-c").stdout.endswith("passed: 10 pictures\n")
    run_here("import", "mine.tflite", "--out", "taken.tflite")
    assert run_here("selftest", "taken.tflite").stdout.endswith("passed: 10 pictures\n")
    # The labels of these pictures are three further on.
    write_digits(tmp_path / "moved", 3)
    failed = run_here("verify", "mine-c", "--data", "moved", check=1).stdout
    assert "agrees with LiteRT, but neither is accurate" in failed
    assert "labels in the order 3, 4, 5, 6, 7, 8, 9, 0, 1, 2" in failed
