"""A short training of the finder: it learns, is resumed exactly, and is exported."""

from pathlib import Path

import numpy as np
import pytest

from edgedigits.training.run_folder import RunConfig, RunFolder
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.engines.finder_network import open_finder_network
from edgedigits_runtime.errors import ContractInvalid, RunError
from edgedigits_runtime.finder_contract import read_finder_contract
from edgedigits_runtime.reading.find import Finder
from tests.conftest import RunCommand

TINY = {"stem": (4, 8), "levels": (8, 8, 8, 8), "blocks": (1, 1, 1, 1), "neck": 8, "heads": (1, 1, 1, 1)}


@pytest.mark.slow
@pytest.mark.usefixtures("written_data")
def test_a_training_learns_and_a_killed_one_goes_on_the_same_way(tmp_path: Path) -> None:
    from edgedigits.finding.batches import Batches
    from edgedigits.finding.learner import Learner, Schedule
    from edgedigits.finding.network import Widths

    # The last of these steps are rounded, also in a training that goes on.
    schedule, widths = Schedule(steps=40, warm_up=1, rounded=0.825), Widths(**TINY)  # type: ignore[arg-type]
    one = Batches(0, 2).pair(3)[0]
    learner = Learner(schedule, 0, widths)
    losses = [learner.learn(one) for _ in range(8)]
    learner.save(tmp_path / "checkpoint.npz", [{"epoch": 1.0, "recall": 0.5}])
    going_on = [learner.learn(one) for _ in range(2)]
    assert sum(losses[-1]) < 0.7 * sum(losses[0])

    assert learner.load(tmp_path / "checkpoint.npz") == [{"epoch": 1.0, "recall": 0.5}]
    assert learner.step == 8
    assert np.allclose([learner.learn(one) for _ in range(2)], going_on, rtol=1e-3)

    (tmp_path / "broken.npz").write_bytes((tmp_path / "checkpoint.npz").read_bytes()[:5000])
    for name in ("broken.npz", "missing.npz"):
        with pytest.raises(RunError):
            learner.load(tmp_path / name)


@pytest.mark.slow
def test_rounded_layers_compute_about_the_same_with_as_many_weights() -> None:
    from edgedigits.finding.layers import TrainingLayers
    from edgedigits.finding.network import Widths, build_network

    layers, widths = TrainingLayers(), Widths(**TINY)  # type: ignore[arg-type]
    plain, rounding = build_network(widths), build_network(widths, layers=layers)
    rounding.set_weights(plain.get_weights())
    image = np.random.default_rng(0).random((1, 64, 64, 3), np.float32)
    expected = [np.asarray(output) for output in plain(image)]
    assert all(np.allclose(ours, theirs, atol=1e-5) for ours, theirs in zip(rounding(image), expected, strict=True))
    layers.rounding = True
    for rounded, exact in zip(rounding(image), expected, strict=True):
        off = np.abs(np.asarray(rounded) - exact).max()
        assert 0 < off < 0.1 * max(np.abs(exact).max(), 1)


@pytest.mark.slow
@pytest.mark.usefixtures("written_data")
def test_a_finished_training_has_files_that_find_alike(tmp_path: Path) -> None:
    from edgedigits.finding.training import FinderOptions, train_finder

    run = train_finder(FinderOptions(epochs=1, batch_size=2, out=tmp_path / "run", workers=0, steps=1, validation=2))
    assert len(run.read_history()) == 1
    path = run.path / "finder.tflite"
    assert path.stat().st_size <= 220_000
    contract = read_finder_contract(path)
    assert (contract.format, contract.precision) == ("tflite", "int8") and contract.measures
    with pytest.raises(ContractInvalid, match="finder"):
        read_contract(path)
    picture = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    outputs = [open_finder_network(run.path / name).outputs(picture) for name in ("finder.tflite", "finder.onnx")]
    assert [output.shape for output in outputs[0]] == [output.shape for output in outputs[1]]
    assert all(np.abs(ours - theirs).mean() < 0.5 for ours, theirs in zip(*outputs, strict=True))
    assert Finder(open_finder_network(path)).find(picture).boxes.shape[1] == 4


@pytest.mark.parametrize("option", [("--data", "mnist"), ("--augment",), ("--recipe", "base")])
def test_options_without_a_meaning_for_scenes_are_refused(run_command: RunCommand, option: tuple[str, ...]) -> None:
    said = run_command("train", "--recipe", "finder", *option, check=None)
    assert said.returncode != 0 and "finder" in said.stderr and "Traceback" not in said.stderr


def test_only_the_formats_of_a_finder_are_exported(run_command: RunCommand, tmp_path: Path) -> None:
    config = RunConfig("finder", "drawn scenes", None, 1, 1, 0, None, "auto", "", {}, {})
    RunFolder(tmp_path).write_config(config)
    for options in (("--format", "web"), ("--precision", "float16")):
        assert "onnx" in run_command("export", tmp_path, *options, check=2).stderr
    assert "--size" in run_command("export", tmp_path, "--size", "64x64", check=2).stderr
    assert "finder.tflite" in run_command("export", tmp_path, "--format", "c", check=1).stderr
    assert "finder.keras" in run_command("export", tmp_path, check=1).stderr
