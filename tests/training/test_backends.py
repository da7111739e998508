"""The same recipe trains on another Keras backend, in another precision, and on several devices."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgedigits.data.dataset import Dataset
from edgedigits.model_files import SHIPPED
from edgedigits.recipes import get_recipe
from edgedigits.training.phases import total_epochs
from edgedigits.training.run_folder import RunFolder

pytestmark = pytest.mark.slow

TWO_DEVICES = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}


def under_jax(*arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run Python with Keras on JAX."""
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_recipe_under_tensorflow_and_jax(small_run: RunFolder, tmp_path: Path) -> None:
    arguments = ["--recipe", "plain-3conv", "--data", "optdigits", "--epochs", "6"]
    done = under_jax("-m", "edgedigits", "train", *arguments, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    run = RunFolder(tmp_path / "run")
    assert run.read_config().versions["backend"] == "jax"
    assert small_run.read_config().versions["backend"] == "tensorflow"
    # The backends draw other random numbers; both have learned about as much.
    ours, theirs = (folder.read_history()[-1] for folder in (small_run, run))
    assert ours["val_accuracy"] > 0.8
    assert abs(ours["val_accuracy"] - theirs["val_accuracy"]) < 0.1


def test_every_phase_of_nano_under_jax(tmp_path: Path) -> None:
    arguments = ["--recipe", "nano", "--data", "optdigits", "--epochs", "1", "--batch-size", "16"]
    done = under_jax("-m", "edgedigits", "train", *arguments, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert len(RunFolder(tmp_path / "run").read_history()) == total_epochs(get_recipe("nano"), 1)
    assert RunFolder(tmp_path / "run").model.is_file()


def test_the_same_weights_give_the_same_answers_under_jax(mnist: Dataset, tmp_path: Path) -> None:
    from edgedigits_exporters.keras_file import load_model

    assert mnist.test is not None
    images = mnist.test.images[:500]
    np.save(tmp_path / "images.npy", images)
    code = (
        "import sys, numpy as np\n"
        "from edgedigits.model_files import open_model\n"
        "from pathlib import Path\n"
        "np.save(sys.argv[3], open_model(Path(sys.argv[1])).run(np.load(sys.argv[2])))\n"
    )
    done = under_jax("-c", code, SHIPPED / "pico.keras", tmp_path / "images.npy", tmp_path / "answers.npy")
    assert done.returncode == 0, done.stderr
    network, _ = load_model(SHIPPED / "pico.keras")
    expected = network.predict(images / np.float32(255), verbose=0)
    np.testing.assert_allclose(np.load(tmp_path / "answers.npy"), expected, atol=1e-5)


def test_two_devices_share_the_batches(tmp_path: Path) -> None:
    arguments = ["-m", "edgedigits", "train", "--recipe", "plain-3conv", "--data", "optdigits", "--epochs", "2"]
    arguments += ["--batch-size", "64"]
    one = under_jax(*arguments, "--out", tmp_path / "one")
    two = under_jax(*arguments, "--parallel", "--out", tmp_path / "two", **TWO_DEVICES)
    assert one.returncode == 0, one.stderr
    assert two.returncode == 0, two.stderr
    losses = [[row["loss"] for row in RunFolder(tmp_path / name).read_history()] for name in ("one", "two")]
    # The same sums in another order, and a sample more in the last batch.
    np.testing.assert_allclose(losses[0], losses[1], rtol=0.02)


def test_a_batch_size_that_devices_cannot_share_is_refused(tmp_path: Path) -> None:
    three = {"XLA_FLAGS": "--xla_force_host_platform_device_count=3"}
    arguments = ["-m", "edgedigits", "train", "--recipe", "plain-3conv", "--data", "optdigits", "--epochs", "1"]
    arguments += ["--parallel"]
    done = under_jax(*arguments, "--batch-size", "64", "--out", tmp_path / "run", **three)
    assert done.returncode == 1
    assert "--batch-size 63" in done.stderr
    assert not (tmp_path / "run").exists()
    done = under_jax(*arguments, "--batch-size", "63", "--out", tmp_path / "run", **three)
    assert done.returncode == 0, done.stderr


def test_parallel_with_one_device_is_refused(tmp_path: Path) -> None:
    done = under_jax("-m", "edgedigits", "train", "--data", "optdigits", "--parallel", "--out", tmp_path / "run")
    assert done.returncode == 1
    assert "--parallel" in done.stderr and "cpu:0" in done.stderr
    assert not (tmp_path / "run").exists()


def test_mixed_precision_saves_a_float32_model(tmp_path: Path) -> None:
    from edgedigits.training.fit import train
    from edgedigits.training.train_options import TrainOptions
    from edgedigits_exporters.keras_file import load_model

    run = train(TrainOptions("nano", "optdigits", None, 1, 16, mixed_precision=True, out=tmp_path / "run"))
    assert run.read_config().mixed_precision
    network, _ = load_model(run.model)
    assert {layer.dtype_policy.name for layer in network.layers} == {"float32"}
