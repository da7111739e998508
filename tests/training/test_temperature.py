"""Fitting confidence: a known temperature is recovered, and the threshold rejects few digits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from edgedigits.training.temperature import HIGHEST_THRESHOLD, MAX_REJECTED, fit_temperature, fit_threshold
from edgedigits_runtime.preprocessing import apply_temperature


def _drawn(true_temperature: float) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Labels drawn from probabilities, and a network that is `true_temperature` times too sure of them."""
    rng = np.random.default_rng(0)
    true = rng.dirichlet(np.full(4, 2.0), 6_000)
    labels = np.array([rng.choice(4, p=row) for row in true], np.int64)
    sure = true**true_temperature
    return (sure / sure.sum(axis=1, keepdims=True)).astype(np.float32), labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.6])
def test_a_known_temperature_is_recovered(temperature: float) -> None:
    assert fit_temperature(*_drawn(temperature)) == pytest.approx(temperature, rel=0.08)


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_the_temperature_is_in_range_and_improves_the_likelihood(seed: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(10, 0.3), 50).astype(np.float32)
    labels = rng.integers(0, 10, 50)
    temperature = fit_temperature(probabilities, labels)
    assert 0.25 <= temperature <= 4

    def loss(at: float) -> float:
        return float(-np.log(apply_temperature(probabilities, at)[np.arange(50), labels]).mean())

    assert loss(temperature) <= loss(1.0) + 1e-3


confidences = arrays.arrays(np.float32, st.tuples(st.integers(1, 3000), st.just(3)), elements=st.floats(0, 1, width=32))


@given(confidences)
def test_the_threshold_rejects_at_most_the_promised_share(given: NDArray[np.float32]) -> None:
    threshold = fit_threshold(given)
    assert 0 <= threshold <= 1
    assert (given.max(axis=1) < threshold).sum() <= MAX_REJECTED * len(given)


def test_the_threshold_is_the_highest_allowed() -> None:
    top = np.linspace(0.1, 1, 5_000, dtype=np.float32)
    threshold = fit_threshold(np.stack([top, np.zeros_like(top)], axis=1))
    allowed = int(MAX_REJECTED * len(top))
    assert (top < threshold).sum() == allowed


def test_the_threshold_keeps_marks_that_may_be_two_digits() -> None:
    top = np.linspace(0.49, 1, 5_000, dtype=np.float32)
    assert fit_threshold(np.stack([top, 1 - top], axis=1)) == HIGHEST_THRESHOLD
