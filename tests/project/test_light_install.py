"""The light install: the wheel in a fresh environment without extras reads a picture."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY


@pytest.mark.slow
def test_the_wheel_alone_reads_a_picture(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    scripts = environment / ("Scripts" if sys.platform == "win32" else "bin")
    subprocess.run([scripts / "python", "-m", "pip", "install", "--quiet", wheel], check=True)
    picture = REPOSITORY / "examples" / "3-blue-pen.jpg"
    read = subprocess.run([scripts / "edgedigits", "predict", picture], cwd=tmp_path, capture_output=True, text=True)
    assert read.returncode == 0, read.stderr
    assert f"{picture}: 3 " in read.stdout

    installed = subprocess.run([scripts / "python", "-m", "pip", "list"], check=True, capture_output=True, text=True)
    for heavy in ("tensorflow", "keras", "onnx", "matplotlib", "scipy", "scikit-learn"):
        assert heavy not in installed.stdout

    refused = subprocess.run([scripts / "edgedigits", "train"], cwd=tmp_path, capture_output=True, text=True)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1 and "edgedigits[train-cpu]" in refused.stderr
