"""Training on real data: deterministic, resumable, with a contract that names its data."""

import dataclasses
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from edgedigits.data import load_dataset
from edgedigits.data.splits import SplitPlan, Splits, split
from edgedigits.recipes import RECIPES, get_recipe
from edgedigits.training.run_folder import RunFolder
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.errors import DeviceUnavailable, EdgedigitsError, OutputNotWritable, RunError, UnknownName
from tests.conftest import restore_sigint

pytestmark = pytest.mark.slow

EPOCHS = 4

SMALL = "small"
"""Name of the smallest recipe, for trainings whose accuracy does not matter."""


def small_layers(classes: int) -> list[Any]:
    from keras import layers

    return [
        layers.Conv2D(4, 3, strides=2, activation="relu"),
        layers.Flatten(),
        layers.Dense(classes, activation="softmax", name="probabilities"),
    ]


@pytest.fixture(scope="module", autouse=True)
def small_recipe() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        # An epoch has ten steps; a network at chance would be refused.
        _add_recipe(patched, SMALL, layers=small_layers, learning_rate=0.01)
        yield


@pytest.fixture(scope="module")
def optdigits() -> Splits:
    return split(load_dataset("optdigits"), SplitPlan())


def train(out: Path, **options: Any) -> RunFolder:
    from edgedigits.training.fit import train as fit
    from edgedigits.training.train_options import TrainOptions

    return fit(TrainOptions(**{"recipe": SMALL, "data": "optdigits", "epochs": 1, "out": out, **options}))


def resume(path: Path) -> RunFolder:
    from edgedigits.training.fit import resume as go_on

    return go_on(path)


def weights(run: RunFolder) -> list[np.ndarray[Any, Any]]:
    from edgedigits_exporters.keras_file import load_model

    model, _ = load_model(run.final)
    return list(model.get_weights())


def same(first: RunFolder, second: RunFolder) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(weights(first), weights(second), strict=True))


@pytest.fixture(scope="module")
def one_epoch(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return train(tmp_path_factory.mktemp("training") / "one")


def test_the_same_seed_gives_the_same_weights_and_another_does_not(
    one_epoch: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A folder named like the dataset must not replace it, in the training or when it is resumed.
    (tmp_path / "optdigits").mkdir()
    monkeypatch.chdir(tmp_path)
    again = train(tmp_path / "again")
    assert same(one_epoch, again)
    assert again.read_config().data == "optdigits"
    assert not same(one_epoch, train(tmp_path / "other", seed=1))


def test_augmentation_changes_what_is_learned(one_epoch: RunFolder, tmp_path: Path) -> None:
    assert not same(one_epoch, train(tmp_path / "augmented", augment=True))


def _start(out: Path) -> "subprocess.Popen[str]":
    arguments = ["train", "--recipe", "plain-3conv", "--data", "optdigits", "--epochs", str(EPOCHS), "--out", str(out)]
    return subprocess.Popen(
        [sys.executable, "-m", "edgedigits", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=restore_sigint,
    )


def _end(process: "subprocess.Popen[str]", run: RunFolder, number: signal.Signals) -> tuple[str, str]:
    """Send a signal as soon as one epoch is finished."""
    try:
        while not run.read_history():
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.01)
        process.send_signal(number)
        return process.communicate(timeout=120)
    finally:
        process.kill()


def test_killed_and_interrupted_trainings_equal_an_uninterrupted_one(tmp_path: Path) -> None:
    killed, stopped = RunFolder(tmp_path / "killed"), RunFolder(tmp_path / "stopped")
    # One after the other, and each watched from its start: an epoch here takes half a second.
    first = _start(killed.path)
    _end(first, killed, signal.SIGKILL)
    assert first.returncode == -signal.SIGKILL
    second = _start(stopped.path)
    _, errors = _end(second, stopped, signal.SIGINT)
    undisturbed = train(tmp_path / "undisturbed", recipe="plain-3conv", epochs=EPOCHS)
    assert second.returncode == 130
    assert f"edgedigits train --resume {stopped.path}" in errors

    for run in (killed, stopped):
        before = run.read_history()
        assert 1 <= len(before) < EPOCHS
        assert run.checkpoint.is_file()
        assert not run.model.exists()
        resumed = resume(run.path)
        history = resumed.read_history()
        assert [row["epoch"] for row in history] == [1, 2, 3, 4]
        assert history[: len(before)] == before
        assert same(undisturbed, resumed)
        assert not list(run.path.glob(".*"))
    for row, undisturbed_row in zip(killed.read_history(), undisturbed.read_history(), strict=True):
        assert {**row, "seconds": 0} == {**undisturbed_row, "seconds": 0}


def test_the_files_of_a_finished_run(small_run: RunFolder, optdigits: Splits) -> None:
    names = {entry.name for entry in small_run.path.iterdir() if entry.suffix in (".keras", ".json", ".csv", ".png")}
    assert names >= {
        "config.json", "history.csv", "checkpoint.keras", "best.keras", "final.keras", "model.keras", "curves.png",
    }  # fmt: skip
    assert small_run.curves.read_bytes().startswith(b"\x89PNG")
    assert small_run.model.read_bytes() == small_run.final.read_bytes()
    config = small_run.read_config()
    assert (config.recipe, config.data, config.epochs, config.seed) == ("plain-3conv", "optdigits", 6, 0)
    assert config.split == dataclasses.asdict(get_recipe("plain-3conv").split)
    assert set(config.versions) == {"edgedigits", "python", "keras", "backend"}
    history = small_run.read_history()
    assert [row["epoch"] for row in history] == [1, 2, 3, 4, 5, 6]
    assert history[-1]["loss"] < history[0]["loss"]


def test_the_contract_names_the_training_split(small_run: RunFolder, optdigits: Splits) -> None:
    for path in (small_run.final, small_run.best, small_run.model):
        contract = read_contract(path)
        assert contract.training is not None
        assert contract.training.name == "optdigits"
        assert contract.training.count == len(optdigits.train)
        assert contract.training.fingerprint == optdigits.train.digest()
        assert 0.25 <= contract.temperature <= 4
        assert 0 < contract.rejection_threshold < 1
        # Measured for no file yet.
        assert contract.accuracy is None


def test_validation_and_test_images_are_not_trained_on(
    optdigits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgedigits.training import fit
    from edgedigits.training.training_model import TrainingModel

    seen: list[bytes] = []

    class Watched(TrainingModel):
        def fit(self, batches: Any, **options: Any) -> Any:
            for index in range(len(batches)):
                seen.extend(np.rint(image * 255).astype(np.uint8).tobytes() for image in batches[index][0])
            return super().fit(batches, **options)

    monkeypatch.setattr(fit, "TrainingModel", Watched)
    train(tmp_path / "watched")
    assert set(seen) == {image.tobytes() for image in optdigits.train.images}
    held_out = {image.tobytes() for part in (optdigits.validation, optdigits.test) for image in part.images}
    assert held_out - set(seen) == held_out - {image.tobytes() for image in optdigits.train.images}
    assert len(held_out - set(seen)) > 0.9 * len(held_out)


def test_the_best_is_kept_by_validation(small_run: RunFolder, optdigits: Splits) -> None:
    from edgedigits.model_files import open_model

    answers = open_model(small_run.best).run(optdigits.validation.images).argmax(axis=1)
    best = max(row["val_accuracy"] for row in small_run.read_history())
    assert (answers == optdigits.validation.labels).mean() == pytest.approx(best, abs=1e-6)


def _add_recipe(monkeypatch: pytest.MonkeyPatch, name: str = "of-a-test", **changes: Any) -> str:
    module = ModuleType(f"recipe_{name}")
    module.RECIPE = dataclasses.replace(get_recipe("plain-3conv"), name=name, **changes)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(RECIPES, name, module.__name__)
    return name


def test_patience_of_a_recipe_stops_training_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edgedigits.training import fit

    # At a learning rate of 0 no epoch is better than the first, and the network is at chance.
    monkeypatch.setattr(fit, "check_learned", lambda *_: None)
    recipe = _add_recipe(monkeypatch, layers=small_layers, learning_rate=0.0, patience=2, keep="best")
    run = train(tmp_path / "run", recipe=recipe, epochs=9)
    assert len(run.read_history()) == 3
    assert run.model.read_bytes() == run.best.read_bytes()
    assert len(resume(run.path).read_history()) == 3


def test_a_recipe_with_sparse_targets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = _add_recipe(monkeypatch, loss="sparse_categorical_crossentropy", normalisation="column-l2")
    run = train(tmp_path / "run", recipe=recipe)
    assert run.read_history()[0]["accuracy"] > 0.2
    assert read_contract(run.model).normalisation == "column-l2"


def _with_dropout(classes: int) -> list[Any]:
    from keras import layers

    return [
        layers.Flatten(),
        layers.Dropout(0.5),
        layers.Dense(16, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(classes, activation="softmax", name="probabilities"),
    ]


def test_dropout_is_equal_after_resuming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The random state of layers is not among what Keras saves."""
    from edgedigits.training import fit
    from edgedigits.training.batches import shuffled

    recipe = _add_recipe(monkeypatch, layers=_with_dropout, learning_rate=0.01)
    undisturbed = train(tmp_path / "undisturbed", recipe=recipe, epochs=3)

    def interrupting(count: int, seed: tuple[int, int], multiple_of: int) -> Any:
        if seed == (0, 1):
            raise KeyboardInterrupt
        return shuffled(count, seed, multiple_of)

    with monkeypatch.context() as patched:
        patched.setattr(fit, "shuffled", interrupting)
        with pytest.raises(fit.Interrupted, match="edgedigits train --resume"):
            train(tmp_path / "stopped", recipe=recipe, epochs=3)
    assert len(RunFolder(tmp_path / "stopped").read_history()) == 1
    assert same(undisturbed, resume(tmp_path / "stopped"))


@pytest.fixture
def copied(one_epoch: RunFolder, tmp_path: Path) -> RunFolder:
    return RunFolder(Path(shutil.copytree(one_epoch.path, tmp_path / "copied")))


def _change_config(run: RunFolder, **changes: Any) -> None:
    file = run.path / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_resuming_a_finished_run_changes_nothing(one_epoch: RunFolder, copied: RunFolder) -> None:
    resume(copied.path)
    assert copied.read_history() == one_epoch.read_history()
    assert same(one_epoch, copied)


def test_resuming_after_the_last_checkpoint_writes_the_missing_files(one_epoch: RunFolder, copied: RunFolder) -> None:
    for name in ("history.csv", "final.keras", "model.keras", "curves.png"):
        (copied.path / name).unlink()
    resume(copied.path)
    assert copied.read_history() == one_epoch.read_history()
    assert same(one_epoch, copied)
    assert copied.curves.is_file()


def test_changed_data_are_refused(copied: RunFolder) -> None:
    _change_config(copied, data_fingerprint="sha256:0")
    with pytest.raises(RunError, match="optdigits"):
        resume(copied.path)


@pytest.mark.parametrize("kept", [0, 10, 5_000, -1])
def test_a_damaged_checkpoint_is_refused(kept: int, copied: RunFolder) -> None:
    copied.checkpoint.write_bytes(copied.checkpoint.read_bytes()[:kept])
    with pytest.raises(RunError, match=r"checkpoint\.keras") as caught:
        resume(copied.path)
    assert "\n" not in str(caught.value)


def test_a_run_killed_before_its_first_checkpoint_is_resumed(one_epoch: RunFolder, tmp_path: Path) -> None:
    path = tmp_path / "killed"
    path.mkdir()
    shutil.copy(one_epoch.config, path)
    (path / ".checkpoint-a1b2c3d4.tmp.keras").write_bytes(b"PK")
    assert same(resume(path), one_epoch)
    assert not list(path.glob(".*"))


def test_the_same_options_resume_a_killed_training(one_epoch: RunFolder, tmp_path: Path) -> None:
    from rich.console import Console

    from edgedigits.training.train import train_or_resume
    from edgedigits.training.train_options import TrainOptions

    options = TrainOptions(SMALL, data="optdigits", epochs=1, out=tmp_path / "killed")
    (tmp_path / "killed").mkdir()
    shutil.copy(one_epoch.config, tmp_path / "killed")
    run = train_or_resume(options, Console(quiet=True))
    assert same(run, one_epoch)
    made = run.model.stat().st_mtime_ns
    train_or_resume(options, Console(quiet=True))
    assert run.model.stat().st_mtime_ns == made


def test_a_run_killed_before_its_config_starts_again(tmp_path: Path) -> None:
    (tmp_path / ".config-a1b2c3d4.tmp.json").write_text("{")
    assert train(tmp_path).model.is_file()
    assert not list(tmp_path.glob(".*"))


def test_resuming_without_a_checkpoint_or_run_is_an_error(copied: RunFolder, tmp_path: Path) -> None:
    copied.checkpoint.unlink()
    with pytest.raises(RunError, match=r"checkpoint\.keras"):
        resume(copied.path)
    for path in (tmp_path, tmp_path / "nowhere", copied.model):
        with pytest.raises(RunError, match=r"config\.json"):
            resume(path)


def test_a_missing_gpu_is_an_error_before_anything_is_written(tmp_path: Path) -> None:
    import keras

    if keras.distribution.list_devices("gpu"):
        # With a GPU the same call trains on it, which a test marked gpu checks.
        assert train(tmp_path / "run", device="gpu").model.is_file()
        return
    with pytest.raises(DeviceUnavailable, match="tensorflow"):
        train(tmp_path / "run", device="gpu")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "kind", "fact"),
    [
        ({"recipe": "resnet"}, UnknownName, "resnet.*pico"),
        ({"data": "imagenet"}, UnknownName, "imagenet"),
        ({"epochs": 0}, EdgedigitsError, "--epochs.* 0"),
        ({"batch_size": -1}, EdgedigitsError, "--batch-size.* -1"),
        ({"seed": -1}, EdgedigitsError, "--seed"),
        ({"seed": 2**32}, EdgedigitsError, "--seed"),
        ({"parallel": True}, DeviceUnavailable, "--parallel.*tensorflow"),
        ({"teachers": ("nobody",)}, UnknownName, "nobody"),
        ({"teachers": ("base",), "recipe": "strided-3conv"}, RunError, r"base\.keras.*column-l2"),
    ],
)
def test_bad_options_leave_nothing_behind(
    options: dict[str, Any], kind: type[EdgedigitsError], fact: str, tmp_path: Path
) -> None:
    with pytest.raises(kind, match=fact):
        train(tmp_path / "run", **options)
    assert not list(tmp_path.iterdir())


def test_an_unwritable_run_folder_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").touch()
    with pytest.raises(RunError, match="--resume"):
        train(tmp_path / "full")
    (tmp_path / "runs").touch()
    for out in (tmp_path / "runs", tmp_path / "runs" / "mine"):
        with pytest.raises(OutputNotWritable):
            train(out)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputNotWritable, match=f"runs/{SMALL}-"):
        train(None)  # type: ignore[arg-type]
