"""Several trainings: planned, matched to existing runs, and reported if they fail."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from edgedigits.cli import app
from edgedigits.training.run_folder import RunConfig, RunFolder
from edgedigits.training.several import plan, raise_failures
from edgedigits.training.train import check_same_options
from edgedigits.training.train_options import TrainOptions
from edgedigits_runtime.errors import RunError
from tests.conftest import RunCommand

CONFIG = RunConfig(
    recipe="pico", data="mnist", data_dir=None, epochs=3, batch_size=128, seed=1,
    augmentation={"rotation": 2.0}, device="auto", data_fingerprint="", split={}, versions={},
)  # fmt: skip


def test_every_recipe_with_every_seed_once(tmp_path: Path) -> None:
    options = TrainOptions("plain-3conv", data="optdigits", epochs=3)
    planned = plan(options, ["pico", "nano", "pico"], iter([0, 7]), tmp_path)
    assert [(one.recipe, one.seed) for one in planned] == [("pico", 0), ("pico", 7), ("nano", 0), ("nano", 7)]
    assert [one.out for one in planned] == [tmp_path / name for name in ("pico-0", "pico-7", "nano-0", "nano-7")]
    assert all((one.data, one.epochs) == ("optdigits", 3) for one in planned)


def test_a_run_is_matched_to_its_training_by_its_options(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.write_config(CONFIG)
    options = TrainOptions("pico", seed=1, epochs=3)
    check_same_options(run, options)
    others: dict[str, dict[str, Any]] = {
        "recipe pico, not nano": {"recipe": "nano"},
        "seed 1, not 0": {"seed": 0},
        "epochs 3, not 4": {"epochs": 4},
        "epochs 3, not 100": {"epochs": None},
        "data mnist, not optdigits": {"data": "optdigits"},
        f"data mnist, not {tmp_path}": {"data": str(tmp_path)},
        "batch size 128, not 64": {"batch_size": 64},
        "mixed precision False, not True": {"mixed_precision": True},
        r"teachers \[\], not \['.*base.keras'\]": {"teachers": ("base",)},
    }
    for fact, other in others.items():
        with pytest.raises(RunError, match=fact):
            check_same_options(run, dataclasses.replace(options, **other))


def test_augment_matters_only_for_recipes_without_augmentation(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.write_config(dataclasses.replace(CONFIG, recipe="plain-3conv", augmentation=None))
    options = TrainOptions("plain-3conv", seed=1, epochs=3)
    check_same_options(run, options)
    with pytest.raises(RunError, match="augment"):
        check_same_options(run, dataclasses.replace(options, augment=True))


def test_failures_are_listed_at_the_end() -> None:
    raise_failures({}, 3)
    with pytest.raises(RunError, match=r"2 of 3.*pico-0, nano-1"):
        raise_failures({"pico-0": "why", "nano-1": "why"}, 3)


def test_resume_is_refused_with_several_trainings_or_ray(run_command: RunCommand) -> None:
    for several in (["--seed", "0", "--seed", "1"], ["--address", "local"], ["--recipe", "pico", "--recipe", "nano"]):
        output = run_command("train", "--resume", "runs/one", *several, check=2).stderr
        assert "--resume" in output and "--out" in output


@pytest.mark.parametrize(
    ("others", "named"),
    [
        (["--epochs", "50"], "--epochs"),
        # Default values that are typed count as given.
        (["--seed", "0", "--device", "auto"], "--seed, --device"),
        (["--recipe", "pico", "--augment", "--out", "runs/two", "--gpus", "1"], "--recipe, --out, --augment, --gpus"),
    ],
)
def test_a_resumed_run_keeps_its_settings(others: list[str], named: str) -> None:
    done = CliRunner().invoke(app, ["train", *others, "--resume", "runs/one"])
    assert done.exit_code == 2, done.output
    assert named in " ".join(done.output.replace("│", " ").split())


def test_resume_without_options_continues_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[object] = []
    monkeypatch.setattr("edgedigits.cli.train.run_training", trained.append)
    assert CliRunner().invoke(app, ["train", "--resume", "runs/one"]).exit_code == 0
    assert trained == [Path("runs/one")]


@pytest.mark.slow
@pytest.mark.parametrize("command", ["train", "reproduce"])
def test_an_address_that_does_not_answer_is_an_error(command: str, run_command: RunCommand, tmp_path: Path) -> None:
    done = run_command(command, "--address", "127.0.0.1:1", check=1)
    assert done.stderr.startswith("error: ") and "127.0.0.1:1" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_failed_training_does_not_stop_the_others(run_command: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "runs" / "plain-3conv-0").mkdir(parents=True)
    (tmp_path / "runs" / "plain-3conv-0" / "a file").touch()
    several = ["--data", "optdigits", "--epochs", "1", "--seed", "0", "--seed", "1"]
    done = run_command("train", "--recipe", "plain-3conv", *several, check=1)
    assert "plain-3conv-0: runs/plain-3conv-0" in done.stdout
    assert "run folder: runs/plain-3conv-1" in done.stdout
    assert "1 of 2" in done.stderr and "plain-3conv-0" in done.stderr
    assert RunFolder(tmp_path / "runs" / "plain-3conv-1").model.is_file()
