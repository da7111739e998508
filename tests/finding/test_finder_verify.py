"""`edgedigits verify` of a finder, and finders among the models."""

import json
from pathlib import Path

import numpy as np
import pytest

from edgedigits.finding.exporting import losses
from edgedigits.scenes import Scene
from edgedigits_runtime.synthetic.samples import mnist_like
from tests.conftest import RunCommand
from tests.support.tiny_finder import page_of, write_finder

SCENE = Scene(
    np.repeat(page_of(mnist_like(1, seed=3)[0])[..., np.newaxis], 3, axis=2),
    np.array([[32, 64, 32, 32]], np.float32),
    np.array([3]),
    ("3",),
)


def test_a_finder_is_compared_with_another_file_of_it(
    run_here: RunCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgedigits.finding.exporting.validation_scenes", lambda _: [SCENE])
    one, other = write_finder(tmp_path / "finder.tflite"), write_finder(tmp_path / "finder.onnx")
    report = json.loads(run_here("verify", one, "--against", other, "--json").stdout)
    assert report["passed"] and report["measures"] == report["reference"] and report["measures"]["exact"] == 1
    assert "finder.keras" in run_here("verify", one, check=1).stderr


def test_a_lower_recall_or_precision_is_a_loss() -> None:
    whole = {"recall": 0.9, "precision": 0.8}
    assert losses(whole, whole) == [] == losses({"recall": 1.0, "precision": 0.795}, whole)
    assert len(losses({"recall": 0.87, "precision": 0.8}, whole)) == 1
    assert len(losses({}, whole)) == 2


def test_finders_are_listed_among_the_models(run_here: RunCommand, tmp_path: Path) -> None:
    run = tmp_path / "runs" / "finder-1"
    run.mkdir(parents=True)
    path = write_finder(run / "finder.onnx", measures={"recall": 0.75, "precision": 0.5})
    rows = [json.loads(line) for line in run_here("models", "--json").stdout.splitlines()]
    (row,) = [row for row in rows if row["path"].endswith("finder-1/finder.onnx")]
    assert row["problem"] is None and row["contract"]["reader"] == "finder"
    assert "75.0%" in run_here("models").stdout
    assert json.loads(run_here("models", "show", path, "--contract").stdout)["name"] == "tiny-finder"
