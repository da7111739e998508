"""Phases of a training: each epoch belongs to one."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits.recipes import RECIPES, get_recipe
from edgedigits.recipes.augmentation import HANDWRITING
from edgedigits.training.phases import GENTLE, phases_of, total_epochs
from edgedigits.training.run_folder import RunFolder
from edgedigits.training.train_options import TrainOptions

counts = st.integers(0, 9)


@given(gentle=counts, quantized=counts, epochs=st.integers(1, 300))
def test_phases_are_consecutive_and_scale_with_the_epochs(gentle: int, quantized: int, epochs: int) -> None:
    recipe = dataclasses.replace(get_recipe("pico"), gentle_epochs=gentle, quantization_epochs=quantized)
    phases = phases_of(recipe, epochs)
    seen = [epoch for phase in phases for epoch in range(phase.first, phase.first + phase.epochs)]
    assert seen == list(range(total_epochs(recipe, epochs)))
    kinds = [phase.kind for phase in phases]
    assert kinds == [kind for kind in ("full", "gentle", "quantized") if kind in kinds]
    counted = {phase.kind: phase.epochs for phase in phases}
    assert counted["full"] == epochs
    share = epochs / recipe.epochs
    assert abs(counted.get("gentle", 0) - gentle * share) <= 0.5
    assert abs(counted.get("quantized", 0) - quantized * share) <= 0.5 or counted["quantized"] == 1
    assert ("quantized" in counted) == (quantized > 0)


@pytest.mark.parametrize("name", RECIPES)
def test_only_the_first_phase_has_full_augmentation(name: str) -> None:
    first, *later = phases_of(get_recipe(name), 100)
    assert first.augmentation(HANDWRITING) == HANDWRITING
    assert all(phase.augmentation(HANDWRITING) == HANDWRITING.milder(GENTLE) for phase in later)


@pytest.mark.slow
def test_a_training_resumed_in_a_later_phase_equals_an_uninterrupted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgedigits.training.fit import Interrupted, resume, train
    from edgedigits_exporters.keras_file import load_model

    monkeypatch.setitem(RECIPES, "tiny", "tests.support.tiny_recipe")

    def stop(run: RunFolder) -> None:
        if len(run.read_history()) in (3, 7):
            raise KeyboardInterrupt

    def options(name: str) -> TrainOptions:
        return TrainOptions("tiny", epochs=2, augment=True, out=tmp_path / name)

    quiet = train(options("quiet"))
    assert len(quiet.read_history()) == 2 + 4 + 2  # tiny has 1, 2 and 1.
    network, contract = load_model(quiet.model)
    assert (network.output_shape, contract.non_digit, len(contract.labels)) == ((None, 11), True, 10)
    with pytest.raises(Interrupted):
        train(options("stopped"), after_epoch=stop)
    with pytest.raises(Interrupted):
        resume(tmp_path / "stopped", after_epoch=stop)
    stopped = resume(tmp_path / "stopped")
    for one, other in zip(*(load_model(run.final)[0].get_weights() for run in (quiet, stopped)), strict=True):
        np.testing.assert_array_equal(one, other)
