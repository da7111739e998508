"""Random inputs in the range of a network, and how two outputs are compared."""

from typing import Any

import numpy as np
import pytest

from edgedigits.importing.comparison import TOLERANCE, compare
from edgedigits.importing.random_inputs import COUNT, input_range, random_inputs
from edgedigits_runtime.errors import GateMissed

CONV = ("Conv2D", {}, [np.zeros(3)])


def test_the_range_is_that_of_the_first_layers() -> None:
    pixels = ("Rescaling", {"scale": 1 / 127.5, "offset": -1.0}, [])
    assert input_range([("InputLayer", {}, []), pixels, CONV]) == (0, 255)
    assert input_range([("Rescaling", {"scale": [1 / 200, 1 / 255]}, [])]) == (0, 255)
    assert input_range([("Rescaling", {"scale": 2.0}, []), CONV]) == (0, 1)
    assert input_range([CONV, pixels]) == input_range([]) == (0, 1)


@pytest.mark.parametrize("stated", [True, False])
def test_the_range_of_a_normalization_is_two_deviations(stated: bool) -> None:
    statistics = {"mean": [100.0, 50.0], "variance": [100.0, 25.0]}
    weights = [np.array(part) for part in statistics.values()]
    layer = ("Normalization", statistics, []) if stated else ("Normalization", {"mean": None}, weights)
    assert input_range([layer]) == (40, 120)


def test_inputs_fill_batches_and_open_sizes() -> None:
    assert random_inputs([None, None, 28, 1], "float32", (0, 1)).shape == (COUNT, 32, 28, 1)
    assert random_inputs([64, 5], "float32", (0, 1)).shape == (256, 5)
    pixels = random_inputs([1, 784], "uint8", (0, 1))
    assert pixels.dtype == np.uint8 and pixels.shape == (COUNT, 784) and pixels.max() > 250
    wide = random_inputs([None, 9], "float32", (-3, 7))
    assert -3 <= wide.min() < -2.5 and 6.5 < wide.max() <= 7


def test_the_difference_is_a_share_of_the_largest_output() -> None:
    original = np.array([[0.0, -20.0]], np.float32)
    assert compare(original, original) == 0
    assert compare(original, original + np.float32(0.001)) == pytest.approx(5e-5, rel=0.01)
    assert compare(np.zeros((2, 2)), np.zeros((2, 2))) == 0


@pytest.mark.parametrize(
    ("original", "new", "fact"),
    [
        ([1.0, 0.5], [1.0, 0.5 + 2 * TOLERANCE], "differently"),
        ([1.0, 0.5], [1.0, np.nan], "differently"),
        ([1.0, np.inf], [1.0, np.inf], "finite"),
        ([1.0, 0.5], [1.0], r"\[1\]"),
    ],
)
def test_other_outputs_are_refused(original: list[float], new: list[float], fact: str) -> None:
    with pytest.raises(GateMissed, match=fact):
        compare(np.array(original), np.array(new))


def softmax(logits: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return (powers / powers.sum(axis=-1, keepdims=True)).astype(np.float32)


def test_a_saturated_softmax_hides_no_difference() -> None:
    logits = np.random.default_rng(0).normal(0, 25, (200, 10)).astype(np.float32)
    original, new = softmax(logits), softmax(logits * np.float32(1.001))
    assert compare(original, softmax(logits.astype(np.float64))) < 1e-6
    with pytest.raises(GateMissed, match="differently"):
        compare(original, new)


def test_a_sigmoid_near_1_may_differ_in_its_last_bit() -> None:
    original = np.full((200, 1), 1 - 1e-6, np.float32)
    assert compare(original, np.nextafter(original, np.float32(1))) < TOLERANCE


def test_outputs_that_may_be_0_are_compared_as_they_are() -> None:
    original = np.array([[0.0, 0.5], [0.7, 0.2]], np.float32)
    assert compare(original, original + np.float32(1e-9)) < TOLERANCE
