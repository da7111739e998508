"""Files that were not imported, given to each command: imported in memory, or one line with the import to type."""

import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from edgedigits.cli import app
from edgedigits_runtime.synthetic.samples import golden_pictures
from tests.support.foreign_models import bare_tflite, foreign_onnx
from tests.support.tiny_models import onnx_bytes, tflite_bytes

COMMANDS = {
    "predict": "predict 7.png --model FILE",
    "bench": "bench --model FILE --what invoke --seconds 0.01 --iterations 3 --json",
    "verify": "verify FILE --data mnist",
    "onnx": "export FILE --format onnx --out made.onnx",
    "tflite": "export FILE --format tflite --out made.tflite",
    "C": "export FILE --format c --out made",
    "selftest": "selftest FILE",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("7.png").write_bytes(golden_pictures()[7][0])
    return tmp_path


def run(command: str, name: str) -> Result:
    return CliRunner().invoke(app, [name if word == "FILE" else word for word in COMMANDS[command].split()])


@pytest.mark.parametrize("name", ["sure.tflite", "sure.onnx"])
def test_what_is_certain_is_imported_in_memory(name: str, folder: Path) -> None:
    if name.endswith(".tflite"):
        bare_tflite(folder / name, "nano")
    else:
        foreign_onnx(folder / name, scale=1 / 255, name="base")
    assert run("predict", name).output.startswith("7.png: 7 ")
    assert run("bench", name).exit_code == 0
    # These two need another file, and say which.
    assert f"edgedigits import {name}" in run("selftest", name).output
    assert "--against" in run("verify", name).output


def write_unsure(name: str) -> None:
    """Write a file of which something is not certain, or which only import reads."""
    if name.endswith(".tflite"):
        Path(name).write_bytes(tflite_bytes(None))
    else:
        Path(name).write_bytes(onnx_bytes(None) if name.endswith(".onnx") else b"\x89HDF")


@pytest.mark.parametrize("name", ["unsure.onnx", "unsure.tflite", "old model.h5"])
def test_what_is_not_certain_is_one_line_with_the_import(name: str, folder: Path) -> None:
    write_unsure(name)
    for command in COMMANDS:
        found = run(command, name)
        assert found.exit_code == 1
        (line,) = found.output.splitlines()
        if command in ("onnx", "tflite") and name.endswith(".tflite"):
            # A finished file becomes no other, imported or not.
            assert "--format c" in line
            continue
        words = shlex.split(line.partition("edgedigits import ")[2].partition(";")[0])
        assert words[0] == name, command
