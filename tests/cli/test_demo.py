"""The demo where MNIST can neither be found nor downloaded: it says so, and goes the whole way on optdigits."""

import os
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, RunCommand


@pytest.mark.slow
def test_the_demo_without_mnist_goes_the_whole_way_on_optdigits(run_command: RunCommand, tmp_path: Path) -> None:
    # Nothing listens there, so that every download fails at once.
    no_network = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    nowhere = {**os.environ, **no_network, "EDGEDIGITS_DATA": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    shown = run_command("demo", "--examples", REPOSITORY / "examples", "--epochs", 1, env=nowhere).stdout
    assert "MNIST is not to be had" in shown and "train plain-3conv on optdigits" in shown
    assert "optdigits: all 360 test images" in shown
    for file in ("model.keras", "plain-3conv.float32.onnx", "plain-3conv.int8.tflite"):
        assert file in shown
    (report,) = tmp_path.glob("runs/*/report.html")
    assert "3-blue-pen.jpg" in report.read_text()


def test_the_demo_without_examples_says_what_it_needs(run_command: RunCommand) -> None:
    assert "labels.csv" in run_command("demo", check=1).stderr
