"""Figures of a report: decisions, calibration, rotation and the choice of samples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import f1_score, log_loss, precision_score, recall_score

from edgedigits.data.dataset import Samples
from edgedigits.reports.evaluation import MOST_IMAGES, Evaluation, rotated, rotation_curve
from edgedigits.reports.images import at_random, one_of_each_and_more
from edgedigits.verification.reliability import group_by_confidence
from edgedigits_runtime.preprocessing import Images, Probabilities

Answers = tuple[Probabilities, NDArray[np.int64]]


@st.composite
def answers(draw: st.DrawFn) -> Answers:
    """Probabilities of up to 60 images in 2 to 5 classes, and their labels."""
    classes = draw(st.integers(2, 5))
    count = draw(st.integers(1, 60))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sharpness = draw(st.sampled_from([0.05, 1.0, 20.0]))
    probabilities = random.dirichlet(np.full(classes, 1 / sharpness), count)
    return probabilities.astype(np.float32), random.integers(0, classes, count)


def evaluation(found: Answers) -> Evaluation:
    probabilities, labels = found
    return Evaluation(labels, probabilities, probabilities)


@given(answers())
def test_confusion_counts_every_decision_once(found: Answers) -> None:
    made = evaluation(found)
    assert made.confusion.sum() == len(made.labels)
    assert np.trace(made.confusion) / len(made.labels) == pytest.approx(made.accuracy.value)
    np.testing.assert_array_equal(made.confusion.sum(axis=1), np.bincount(made.labels, minlength=found[0].shape[1]))
    for true, predicted in zip(made.labels, made.predicted, strict=True):
        assert made.confusion[true, predicted] > 0


@given(answers())
def test_scores_follow_from_the_confusion_matrix(found: Answers) -> None:
    made = evaluation(found)
    confusion = made.confusion
    for i, scores in enumerate(made.scores(tuple("abcde"[: len(confusion)]))):
        right = confusion[i, i]
        assert scores.precision == pytest.approx(right / max(1, confusion[:, i].sum()))
        assert scores.recall == pytest.approx(right / max(1, confusion[i].sum()))
        assert scores.f1 == pytest.approx(2 * right / max(1, confusion[:, i].sum() + confusion[i].sum()))
        assert scores.samples == confusion[i].sum()


@given(answers())
def test_mistakes_are_all_of_them_worst_first(found: Answers) -> None:
    made = evaluation(found)
    assert set(made.mistakes) == set(np.flatnonzero(made.predicted != made.labels))
    assert (np.diff(made.confidence[made.mistakes]) <= 0).all()


def test_statistics_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(1)
    labels = random.integers(0, 4, 500)
    probabilities = random.dirichlet(np.ones(4) / 3, 500).astype(np.float32)
    made = evaluation((probabilities, labels))
    scores = made.scores(("a", "b", "c", "d"))
    np.testing.assert_allclose([one.precision for one in scores], precision_score(labels, made.predicted, average=None))
    np.testing.assert_allclose([one.recall for one in scores], recall_score(labels, made.predicted, average=None))
    np.testing.assert_allclose([one.f1 for one in scores], f1_score(labels, made.predicted, average=None))
    clipped = np.clip(probabilities.astype(np.float64), 1e-7, None)
    assert made.loss == pytest.approx(log_loss(labels, clipped / clipped.sum(axis=1, keepdims=True)), rel=1e-4)


def test_top_names_the_likeliest_classes() -> None:
    made = evaluation((np.array([[0.2, 0.7, 0.1]], np.float32), np.array([0])))
    assert [label for label, _ in made.top(0, ("a", "b", "c"), 2)] == ["b", "a"]


def test_expected_calibration_error_by_hand() -> None:
    # Two bins: in (0, 0.5] one answer of 0.5, wrong; in (0.5, 1] two of 0.75, one of them right.
    probabilities = np.array([[0.5, 0.25, 0.25], [0.75, 0.25, 0], [0.75, 0.25, 0]], np.float32)
    found = group_by_confidence(probabilities, np.array([1, 0, 1]), bins=2)
    np.testing.assert_array_equal(found.counts, [1, 2])
    assert found.expected_error == pytest.approx(1 / 3 * 0.5 + 2 / 3 * 0.25)


@given(answers(), st.integers(1, 20))
def test_expected_calibration_error_is_that_of_the_definition(found: Answers, bins: int) -> None:
    probabilities, labels = found
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    expected = 0.0
    for m in range(1, bins + 1):
        low = (m - 1) / bins if m > 1 else -1
        inside = (confidence > low) & ((confidence <= m / bins) | (m == bins))
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    made = group_by_confidence(probabilities, labels, bins)
    assert made.counts.sum() == len(labels)
    assert 0 <= made.expected_error <= 1
    # A confidence on the border of two bins may fall into either by rounding; the error is then no longer that one.
    borders = np.abs(confidence * bins - np.rint(confidence * bins)) < 1e-9
    if not borders[confidence < 1].any():
        assert made.expected_error == pytest.approx(expected, abs=1e-9)


def test_answers_that_are_sure_and_right_have_no_calibration_error() -> None:
    assert group_by_confidence(np.eye(3, dtype=np.float32), np.arange(3)).expected_error == 0


def test_a_quarter_turn_is_counter_clockwise() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 9, 9, 3), np.uint8)
    np.testing.assert_array_equal(rotated(images, 90), np.rot90(images, axes=(1, 2)))


@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from([1, 3]), st.floats(-45, 45))
def test_turned_images_keep_shape_and_dtype(height: int, width: int, channels: int, degrees: float) -> None:
    images = np.full((2, height, width, channels), 200, np.uint8)
    turned = rotated(images, degrees)
    assert turned.shape == images.shape
    assert turned.dtype == np.uint8
    assert turned.max() <= 200


def test_no_turn_changes_nothing() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 10, 1), np.uint8)
    np.testing.assert_array_equal(rotated(images, 0), images)


def side(images: Images) -> Probabilities:
    """Return class 0 for ink on the left, 1 for ink on the right."""
    left = images[:, :, : images.shape[2] // 2].mean(axis=(1, 2, 3))
    right = images[:, :, images.shape[2] // 2 :].mean(axis=(1, 2, 3))
    return np.stack([left > right, left <= right], axis=1).astype(np.float32)


def test_rotation_curve_falls_where_the_classifier_does() -> None:
    images = np.zeros((40, 10, 10, 1), np.uint8)
    labels = np.arange(40) % 2
    images[labels == 0, 4:6, 1:3] = 255
    images[labels == 1, 4:6, 7:9] = 255
    curve = rotation_curve(side, Samples(images, labels), (-180, 0, 180))
    assert [share.value for share in curve.accuracy] == [0, 1, 0]
    assert curve.upright.value == 1
    assert (curve.images, curve.available) == (40, 40)


def test_rotation_curve_takes_a_seeded_choice_of_many() -> None:
    images = np.random.default_rng(0).integers(0, 256, (MOST_IMAGES + 500, 2, 2, 1), np.uint8)
    samples = Samples(images, np.zeros(len(images), np.int64))
    first, second = (rotation_curve(side, samples, (0, 5)) for _ in range(2))
    assert first == second
    assert (first.images, first.available) == (MOST_IMAGES, MOST_IMAGES + 500)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=80), st.integers(1, 50))
def test_samples_are_spread_over_the_classes(labels: list[int], count: int) -> None:
    array = np.array(labels)
    chosen = one_of_each_and_more(array, count)
    assert len(set(chosen)) == len(chosen) == min(count, len(labels))
    assert (np.diff(array[chosen]) >= 0).all()
    if count >= len(set(labels)):
        assert set(array[chosen]) == set(labels)
    kept, available = np.bincount(array[chosen], minlength=7), np.bincount(array, minlength=7)
    cut = kept[kept < available]
    # No class has two more samples than a class that was cut.
    assert cut.size == 0 or kept.max() <= cut.min() + 1


@given(st.integers(1, 100), st.integers(1, 100))
def test_random_choice_is_ascending_and_repeats(available: int, count: int) -> None:
    chosen = at_random(available, count)
    assert len(chosen) == min(available, count)
    assert (np.diff(chosen) > 0).all()
    np.testing.assert_array_equal(chosen, at_random(available, count))
