"""`edgedigits selftest`: replay of golden vectors."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from edgedigits.model_files import SHIPPED, shipped_names
from edgedigits_runtime.golden import golden_path, read_golden
from tests.conftest import RunCommand


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped_names())
@pytest.mark.parametrize("engine", ["litert", "onnxruntime"])
def test_every_shipped_file_passes(name: str, engine: str, run_here: RunCommand) -> None:
    output = run_here("selftest", name, "--engine", engine).stdout
    assert f"on {engine}, cpu" in output
    assert output.endswith("passed: 10 pictures\n")


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["framed", "input", "output"])
def test_the_first_stage_that_differs_is_named(stage: str, run_here: RunCommand, tmp_path: Path) -> None:
    artifact = shutil.copy(SHIPPED / "base.tflite", tmp_path)
    vectors = read_golden(golden_path(SHIPPED / "base.tflite"))
    vectors[stage] = vectors[stage].copy()
    vectors[stage][2:].flat[7] ^= 1
    np.savez(golden_path(Path(artifact)), allow_pickle=False, **vectors)
    done = run_here("selftest", artifact, "--json", check=1)
    found = json.loads(done.stdout)
    assert not found["passed"]
    assert list(found["stages"])[-1] == stage
    assert found["stages"][stage].endswith("image 2")
    assert run_here("selftest", artifact, check=1).stdout.endswith(f"failed at {stage}\n")


def test_an_artifact_without_golden_vectors_is_refused(run_here: RunCommand, tmp_path: Path) -> None:
    artifact = shutil.copy(SHIPPED / "base.tflite", tmp_path / "mine.tflite")
    assert "mine.golden.npz" in run_here("selftest", artifact, check=1).stderr
