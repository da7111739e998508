"""Reproduction: rows made of outcomes; a finished run is reused, exported and verified."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from edgedigits.recipes import plain_3conv
from edgedigits.reproduction import FORMATS, Outcome, reproduce, row, write_rows
from edgedigits.training.run_folder import RunFolder


def outcome(accuracy: float, agreement: float = 1.0, passed: bool = True) -> Outcome:
    export = {"accuracy": accuracy, "agreement": agreement, "bytes": int(1000 * accuracy), "passed": passed}
    return Outcome(accuracy, 1 - accuracy, accuracy, accuracy, 93_322, {"tflite-int8": export})


def test_a_row_holds_means_deviations_and_every_seed() -> None:
    made = row("plain-3conv", [outcome(0.98, 0.999), outcome(0.99), outcome(1.0, 0.9, passed=False)])
    assert made["recipe"] == "plain-3conv" and made["parameters"] == 93_322
    assert made["published"].startswith("98.9%")
    assert made["test_accuracy"] == {"mean": pytest.approx(0.99), "std": pytest.approx(0.01), "seeds": [0.98, 0.99, 1]}
    assert made["test_loss"]["mean"] == pytest.approx(0.01)
    # Bounds for every seed: the lowest agreement, the largest file.
    assert made["exports"]["tflite-int8"] == {
        "accuracy": pytest.approx(0.99), "agreement": 0.9, "bytes": 1000, "passed": False,
    }  # fmt: skip


def test_one_seed_has_no_deviation() -> None:
    assert row("plain-3conv", [outcome(0.98)])["test_accuracy"] == {"mean": 0.98, "std": None, "seeds": [0.98]}


def test_rows_of_other_recipes_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "reproduce.json"
    write_rows([{"recipe": "a", "value": 1}, {"recipe": "b", "value": 1}], path)
    write_rows([{"recipe": "b", "value": 2}], path)
    written = json.loads(path.read_text())
    assert written["rows"] == [{"recipe": "a", "value": 1}, {"recipe": "b", "value": 2}]
    assert written["machine"]["cores"] >= 1


@pytest.mark.slow
def test_a_finished_run_is_reused_exported_and_verified(
    trained_run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain_3conv, "RECIPE", dataclasses.replace(plain_3conv.RECIPE, epochs=1))
    shutil.copytree(trained_run.path, tmp_path / "plain-3conv-0")
    made = reproduce("plain-3conv", 1, tmp_path, None, Console(quiet=True))
    assert set(made["exports"]) == {f"{name}-{precision}" for name, precision in FORMATS}
    assert all(export["passed"] and export["bytes"] > 90_000 for export in made["exports"].values())
    assert made["exports"]["onnx-float32"]["accuracy"] == made["test_accuracy"]["mean"] > 0.95
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "plain-3conv-0").glob("*.tflite")}
    assert reproduce("plain-3conv", 1, tmp_path, None, Console(quiet=True)) == made
    assert times == {path: path.stat().st_mtime_ns for path in times}
