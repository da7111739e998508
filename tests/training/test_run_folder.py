"""The run folder: config and history survive a round trip, names are unique, damage is reported."""

import dataclasses
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits.recipes import FINDER
from edgedigits.training.run_folder import RunConfig, RunFolder, new_run, newest_run
from edgedigits_runtime.errors import OutputNotWritable, RunError

words = st.text(st.characters(codec="utf-8"), max_size=10)
configs = st.builds(
    RunConfig,
    recipe=words,
    data=words,
    data_dir=st.none() | words,
    epochs=st.integers(1, 99),
    batch_size=st.integers(1, 999),
    seed=st.integers(0, 2**32 - 1),
    augmentation=st.none() | st.dictionaries(words, st.floats(0, 9)),
    device=st.sampled_from(["auto", "cpu", "gpu"]),
    data_fingerprint=words,
    split=st.fixed_dictionaries({"validation": st.floats(0.1, 0.9), "seed": st.integers(0, 99)}),
    versions=st.dictionaries(words, words),
)
CONFIG = RunConfig("plain-3conv", "mnist", None, 2, 128, 0, None, "auto", "sha256:0", {}, {})
rows = st.lists(
    st.fixed_dictionaries({"epoch": st.integers(1, 99), "loss": st.floats(0, 9), "val_loss": st.floats(0, 9)}),
    min_size=1,
    max_size=4,
)


@given(config=configs)
def test_the_config_survives_a_round_trip(config: RunConfig, tmp_path_factory: pytest.TempPathFactory) -> None:
    run = RunFolder(tmp_path_factory.getbasetemp() / "config-run")
    run.write_config(config)
    assert run.read_config() == config


@given(history=rows)
def test_the_history_survives_a_round_trip(
    history: list[dict[str, float]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = RunFolder(tmp_path_factory.getbasetemp() / "history-run")
    run.write_history(history)
    assert run.read_history() == history


def test_a_run_without_a_finished_epoch_has_no_history(tmp_path: Path) -> None:
    assert RunFolder(tmp_path).read_history() == []


@pytest.mark.parametrize("content", [None, "", "[]", '{"recipe": "finder"}', "\udc80", "[" * 100_000])
def test_a_folder_without_a_whole_config_is_no_finder(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "config.json").write_bytes(content.encode(errors="surrogateescape"))
    assert not RunFolder(tmp_path).is_finder()


@pytest.mark.parametrize("recipe", [FINDER, "base"])
def test_the_recipe_states_whether_a_run_is_a_finder(recipe: str, tmp_path: Path) -> None:
    RunFolder(tmp_path).write_config(dataclasses.replace(CONFIG, recipe=recipe))
    assert RunFolder(tmp_path).is_finder() == (recipe == FINDER)


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '{"recipe": "x"}', '{"colour": 1}', "\udc80"])
def test_a_damaged_config_is_an_error(content: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(RunError, match=r"config\.json"):
        RunFolder(tmp_path).read_config()


def test_a_config_with_an_unknown_setting_is_an_error(tmp_path: Path) -> None:
    RunFolder(tmp_path).write_config(CONFIG)
    file = tmp_path / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "optimiser": "sgd"}))
    with pytest.raises(RunError, match="optimiser"):
        RunFolder(tmp_path).read_config()


def test_a_folder_without_a_run_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "nowhere", tmp_path / "file"):
        with pytest.raises(RunError, match=r"config\.json"):
            RunFolder(path).read_config()


def test_new_runs_never_share_a_folder(tmp_path: Path) -> None:
    made = [new_run("plain-3conv", tmp_path / "runs").path for _ in range(5)]
    assert len(set(made)) == 5
    assert all(path.is_dir() and path.name.startswith("plain-3conv-") for path in made)


def test_a_file_named_runs_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    for runs in (tmp_path / "runs", tmp_path / "runs" / "deeper"):
        with pytest.raises(OutputNotWritable):
            new_run("plain-3conv", runs)


def test_the_newest_run_is_the_one_finished_last(tmp_path: Path) -> None:
    assert newest_run(tmp_path / "nowhere") is None
    for number, name in enumerate(["b", "c", "a"]):
        run = RunFolder(tmp_path / name)
        run.path.mkdir()
        run.model.touch()
        os.utime(run.model, (1_000_000 + number, 1_000_000 + number))
    (tmp_path / "unfinished").mkdir()
    assert newest_run(tmp_path) == RunFolder(tmp_path / "a")
