"""The kind of an output is found from its values, also from quantized ones."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from edgedigits_runtime.foreign.output_kind import kind_of_values

logits = arrays.arrays(
    np.float32,
    st.tuples(st.integers(8, 20), st.integers(2, 40)),
    elements=st.floats(-30, 30, width=32),
    fill=st.nothing(),
)


def softmax(values: NDArray[Any]) -> NDArray[np.float32]:
    powers = np.exp(values - values.max(axis=1, keepdims=True), dtype=np.float64)
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


@given(logits)
def test_probabilities(values: NDArray[np.float32]) -> None:
    assert kind_of_values(softmax(values)) == "probabilities"


@given(logits)
def test_quantized_probabilities(values: NDArray[np.float32]) -> None:
    stored = np.clip(np.rint(softmax(values) * 256), 0, 255)
    assert kind_of_values((stored / 256).astype(np.float32), 1 / 256) == "probabilities"


@given(logits)
def test_log_probabilities(values: NDArray[np.float32]) -> None:
    assert kind_of_values(np.log(np.maximum(softmax(values), 1e-30))) in ("log-probabilities", "probabilities")


@given(logits.filter(lambda values: bool((np.abs(values) > 2).any())))
def test_logits(values: NDArray[np.float32]) -> None:
    total = np.exp(values.astype(np.float64)).sum(axis=1)
    if values.max() > 0.1 or (np.abs(np.log(total)) > 0.1).any():
        assert kind_of_values(values) == "logits"


def test_sigmoids() -> None:
    rng = np.random.default_rng(0)
    assert kind_of_values(rng.random((20, 10), np.float32)) == "sigmoids"
    assert kind_of_values(rng.random((20, 1), np.float32)) == "sigmoid"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_have_no_kind(value: float) -> None:
    values = np.full((4, 10), 0.1, np.float32)
    values[2, 3] = value
    assert kind_of_values(values) is None


def test_one_value_outside_of_0_to_1_has_no_kind() -> None:
    assert kind_of_values(np.array([[0.5], [3.0]], np.float32)) is None
