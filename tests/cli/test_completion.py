"""What the shell offers, and that it is offered without a heavy import."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgedigits.cli import completion
from edgedigits.data import DATASETS
from edgedigits.model_files import SUFFIXES, shipped_names
from edgedigits.recipes import RECIPES
from edgedigits_exporters import FORMATS
from edgedigits_exporters.conversion import PRECISIONS
from edgedigits_runtime.engines import ENGINES

COMPLETE = """
import sys
from edgedigits.cli import app
try:
    app(prog_name="edgedigits")
finally:
    heavy = {"numpy", "PIL", "rich", "tensorflow", "keras", "onnxruntime", "ai_edge_litert"} & set(sys.modules)
    assert not heavy, heavy
"""


def offered(line: str, folder: Path) -> list[str]:
    """Return what bash is offered for the last word of a command line."""
    asked = {
        "_EDGEDIGITS_COMPLETE": "complete_bash",
        "COMP_WORDS": f"edgedigits {line}",
        "COMP_CWORD": str(len(line.split(" "))),
    }
    done = subprocess.run(
        [sys.executable, "-c", COMPLETE], env={**os.environ, **asked}, cwd=folder, capture_output=True, text=True
    )
    assert "AssertionError" not in done.stderr, done.stderr
    return done.stdout.split()


def test_the_words_are_those_of_the_registers() -> None:
    assert (*ENGINES, "keras") == completion.ENGINES
    assert tuple(FORMATS) == completion.FORMATS
    assert completion.PRECISIONS == PRECISIONS
    assert set(completion.SUFFIXES) == set(SUFFIXES)
    assert completion.shipped() == shipped_names()
    assert set(RECIPES) < set(completion.recipes()) and completion.datasets() == list(DATASETS)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("predict --model p", ["pico"]),
        ("predict --engine o", ["onnxruntime"]),
        ("train --recipe max", ["max"]),
        ("export --format t", ["tflite"]),
        ("export runs/m", ["runs/mine", "runs/mine/mine.int8.tflite"]),
        ("export --precision f", ["float32", "float16"]),
        ("bench matrix --models pico,n", ["pico,nano"]),
        ("train --resume r", ["runs/mine"]),
        ("verify runs/mine/", ["runs/mine/mine.int8.tflite"]),
        # A shell completes other paths itself, if nothing is offered.
        ("export --out r", []),
    ],
)
def test_a_word_is_completed(line: str, expected: list[str], tmp_path: Path) -> None:
    run = tmp_path / "runs" / "mine"
    run.mkdir(parents=True)
    (run / "config.json").touch()
    (run / "mine.int8.tflite").touch()
    assert offered(line, tmp_path) == expected
