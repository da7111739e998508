"""The checkpoint: one file with weights, optimiser and history; a damaged one is refused."""

import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgedigits.training.checkpoint import HISTORY, load_checkpoint, save_checkpoint
from edgedigits_runtime.errors import OutputNotWritable, RunError

pytestmark = pytest.mark.slow

ROWS = [{"epoch": 1, "loss": 0.1234567890123}, {"epoch": 2, "loss": 0.1}]


@pytest.fixture(scope="module")
def model() -> Any:
    import keras

    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    network.compile(keras.optimizers.Adam(0.01), "mse")
    network.fit(np.ones((8, 4)), np.ones((8, 3)), verbose=0)
    return network


@pytest.fixture
def path(model: Any, tmp_path: Path) -> Path:
    save_checkpoint(model, ROWS, tmp_path / "checkpoint.keras")
    return tmp_path / "checkpoint.keras"


def test_a_resumed_training_equals_an_uninterrupted_one(model: Any, path: Path) -> None:
    loaded, history = load_checkpoint(path)
    assert history == ROWS
    for network in (model, loaded):
        # With Adam's momentum, which weights alone would not give back.
        network.fit(np.ones((8, 4)), np.ones((8, 3)), epochs=2, shuffle=False, verbose=0)
    for found, wanted in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert list(path.parent.iterdir()) == [path]


def test_a_truncated_checkpoint_is_an_error(path: Path) -> None:
    whole = path.read_bytes()
    for kept in (0, 1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:kept])
        with pytest.raises(RunError, match=r"checkpoint\.keras"):
            load_checkpoint(path)


def test_a_damaged_byte_is_an_error_or_harmless(path: Path) -> None:
    whole, rng, refused = path.read_bytes(), np.random.default_rng(0), 0
    for place in rng.integers(0, len(whole), 60):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        try:
            load_checkpoint(path)
        except RunError:
            refused += 1
    assert refused > 20


def test_a_model_without_history_is_not_a_checkpoint(path: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.keras"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(bare, "w") as target:
        for name in source.namelist():
            if name != HISTORY:
                target.writestr(name, source.read(name))
    with pytest.raises(RunError):
        load_checkpoint(bare)


def test_a_missing_checkpoint_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"checkpoint\.keras"):
        load_checkpoint(tmp_path / "checkpoint.keras")


def test_an_unset_clock_is_an_error_before_anything_is_written(
    model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.localtime", lambda *_: time.gmtime(0))
    with pytest.raises(OutputNotWritable, match="1970"):
        save_checkpoint(model, ROWS, tmp_path / "checkpoint.keras")
    assert not list(tmp_path.iterdir())
