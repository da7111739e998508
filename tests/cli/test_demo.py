"""The demo without MNIST, and without examples."""

import os
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, RunCommand


@pytest.mark.slow
def test_the_demo_without_mnist_runs_on_optdigits(run_command: RunCommand, tmp_path: Path) -> None:
    # Nothing listens there, so every download fails at once.
    no_network = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    nowhere = {**os.environ, **no_network, "EDGEDIGITS_DATA": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    output = run_command("demo", "--examples", REPOSITORY / "examples", "--epochs", 1, env=nowhere).stdout
    assert "train plain-3conv on optdigits" in output
    assert "all 360 test images" in output
    for file in ("model.keras", "plain-3conv.float32.onnx", "plain-3conv.int8.tflite"):
        assert file in output
    (report,) = tmp_path.glob("runs/*/report.html")
    assert "3-blue-pen.jpg" in report.read_text()


def test_the_demo_without_examples_names_the_missing_file(run_command: RunCommand) -> None:
    assert "labels.csv" in run_command("demo", check=1).stderr
