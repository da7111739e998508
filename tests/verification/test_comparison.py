"""The comparison of probabilities written by hand, whose figures are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from edgedigits.verification.comparison import compare
from edgedigits_runtime.errors import ArrayError
from edgedigits_runtime.intervals import wilson

NAMES = ("zero", "one", "two")
KERAS = np.array([[0.8, 0.1, 0.1], [0.5, 0.4, 0.1], [0.2, 0.7, 0.1], [0.05, 0.9, 0.05], [0.3, 0.3, 0.4]], np.float32)
EXPORT = np.array([[0.8, 0.1, 0.1], [0.4, 0.5, 0.1], [0.2, 0.7, 0.1], [0.1, 0.15, 0.75], [0.3, 0.3, 0.4]], np.float32)
LABELS = np.array([0, 0, 1, 2, 2], np.int64)


def test_every_figure_of_a_small_example() -> None:
    found = compare(KERAS, EXPORT, LABELS, NAMES)
    assert found.images == 5
    # Keras is wrong on image 3 only, the export on image 1 only.
    assert found.keras_accuracy == found.artifact_accuracy == wilson(4, 5)
    assert found.mcnemar_p == 1.0
    assert found.agreement == pytest.approx(3 / 5)
    assert found.accuracy_drop.value == 0
    assert found.max_probability_error == pytest.approx(0.75)
    assert found.mean_probability_error == pytest.approx((0.1 + 0.1 + 0.05 + 0.75 + 0.7) / 15)
    third = (0.05 * 0.1 + 0.9 * 0.15 + 0.05 * 0.75) / (
        np.sqrt(2 * 0.05**2 + 0.9**2) * np.sqrt(0.1**2 + 0.15**2 + 0.75**2)
    )
    assert found.min_cosine == pytest.approx(third)
    assert found.min_cosine < found.mean_cosine < 1
    assert found.per_class_change == {"zero": -50.0, "one": 0.0, "two": 50.0}


def test_flips_are_ordered_by_their_margin() -> None:
    first, second = compare(KERAS, EXPORT, LABELS, NAMES).flips
    assert (first.index, first.label, first.keras, first.artifact) == (3, "two", "one", "two")
    assert (first.keras_margin, first.artifact_margin) == (pytest.approx(0.85), pytest.approx(0.6))
    assert (second.index, second.label, second.keras, second.artifact) == (1, "zero", "zero", "one")
    assert (second.keras_margin, second.artifact_margin) == (pytest.approx(0.1), pytest.approx(0.1))


def test_a_class_without_images_has_no_change() -> None:
    found = compare(KERAS[:3], EXPORT[:3], LABELS[:3], NAMES)
    assert set(found.per_class_change) == {"zero", "one"}
    assert found.accuracy_drop.value == pytest.approx(1 / 3)


probabilities = arrays.arrays(np.float32, (7, 3), elements=st.floats(1 / 512, 1, width=32))
labels = arrays.arrays(np.int64, 7, elements=st.integers(0, 2))


@given(probabilities, probabilities, labels)
def test_swapping_the_two_changes_the_signs(
    first: NDArray[np.float32], second: NDArray[np.float32], truth: NDArray[np.int64]
) -> None:
    there, back = compare(first, second, truth, NAMES), compare(second, first, truth, NAMES)
    assert there.accuracy_drop.value == pytest.approx(-back.accuracy_drop.value)
    assert there.mcnemar_p == back.mcnemar_p
    assert there.max_probability_error == back.max_probability_error
    assert {flip.index for flip in there.flips} == {flip.index for flip in back.flips}
    assert {flip.index for flip in there.flips} == set(
        np.flatnonzero(first.argmax(axis=1) != second.argmax(axis=1)).tolist()
    )
    assert all(flip.keras != flip.artifact for flip in there.flips)


@given(probabilities, labels)
def test_equal_answers_agree_in_everything(given: NDArray[np.float32], truth: NDArray[np.int64]) -> None:
    found = compare(given, given.copy(), truth, NAMES)
    assert (found.agreement, found.flips, found.mcnemar_p) == (1, (), 1)
    assert (found.max_probability_error, found.accuracy_drop.value) == (0, 0)


@pytest.mark.parametrize(
    ("keras", "export", "truth"),
    [(KERAS, EXPORT[:4], LABELS), (KERAS, EXPORT, LABELS[:4]), (KERAS[:0], EXPORT[:0], LABELS[:0])],
)
def test_arrays_of_different_images_are_refused(
    keras: NDArray[np.float32], export: NDArray[np.float32], truth: NDArray[np.int64]
) -> None:
    with pytest.raises(ArrayError, match=f"{len(truth)} labels"):
        compare(keras, export, truth, NAMES)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_probabilities_that_are_not_finite_are_refused(value: float) -> None:
    broken = EXPORT.copy()
    broken[2, 1] = value
    for pair in ((KERAS, broken), (broken, KERAS)):
        with pytest.raises(ArrayError, match="NaN"):
            compare(*pair, LABELS, NAMES)
