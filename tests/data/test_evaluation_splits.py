"""The parts that a foreign model is judged by."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgedigits.data import evaluation_splits as module
from edgedigits.data.dataset import Dataset, Samples
from edgedigits.data.evaluation_splits import ENOUGH, evaluation_splits
from edgedigits.data.splits import SPLIT_NAMES


def numbered(counts: list[int], start: int = 0) -> Samples:
    """Samples of classes with these counts, in mixed order, whose pixels are their number."""
    labels = np.random.default_rng(start).permutation(np.repeat(np.arange(len(counts)), counts))
    numbers = np.arange(start, start + len(labels), dtype="<u4")
    return Samples(numbers.view(np.uint8).reshape(-1, 2, 2, 1), labels.astype(np.int64))


def numbers_of(samples: Samples) -> list[int]:
    return np.ascontiguousarray(samples.images).reshape(-1, 4).view("<u4").ravel().tolist()


def dataset_of(counts: list[int], test: Samples | None = None) -> Dataset:
    return Dataset("mine", numbered(counts), test, tuple(f"class {n}" for n in range(len(counts))), "plain")


@settings(deadline=None)
@given(st.lists(st.integers(ENOUGH, 40), min_size=2, max_size=5))
def test_enough_samples_are_divided(counts: list[int]) -> None:
    dataset = dataset_of(counts)
    splits = evaluation_splits(dataset)
    parts = [numbers_of(splits.named(name)) for name in SPLIT_NAMES]
    assert sorted(number for part in parts for number in part) == list(range(sum(counts)))
    assert all(part == sorted(part) for part in parts)
    for name, share in (("test", 0.5), ("validation", 0.25), ("train", 0.25)):
        part = splits.named(name)
        assert np.array_equal(part.labels, dataset.train.labels[numbers_of(part)])
        assert np.all(np.abs(np.bincount(part.labels, minlength=len(counts)) - share * np.array(counts)) <= 1)
    assert splits.notes == ()
    assert numbers_of(evaluation_splits(dataset).test) == numbers_of(splits.test)


@given(st.lists(st.integers(1, 30), min_size=2, max_size=5).filter(lambda counts: min(counts) < ENOUGH))
def test_few_samples_are_all_reported_with_a_note(counts: list[int]) -> None:
    splits = evaluation_splits(dataclasses.replace(dataset_of(counts), notes=("one was left out",)))
    assert numbers_of(splits.test) == numbers_of(splits.validation) == list(range(sum(counts)))
    assert len(splits.train) == 0
    assert splits.notes[0] == "one was left out" and str(sum(counts)) in splits.notes[1]


@given(st.lists(st.integers(1, 30), min_size=2, max_size=5))
def test_a_test_set_is_kept_even_beside_few_samples(counts: list[int]) -> None:
    test = numbered([2, 3], start=1000)
    splits = evaluation_splits(dataset_of(counts, test))
    assert splits.test is test and splits.notes == ()
    assert set(splits.validation.labels.tolist()) == set(range(len(counts)))
    assert sorted(numbers_of(splits.train) + numbers_of(splits.validation)) == list(range(sum(counts)))


def test_of_many_samples_a_part_validates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_VALIDATION", 20)
    splits = evaluation_splits(dataset_of([100, 100], numbered([5, 5], start=1000)))
    assert (len(splits.train), len(splits.validation)) == (180, 20)


def test_a_class_without_samples_is_no_obstacle() -> None:
    dataset = dataclasses.replace(dataset_of([20, 20]), labels=("a", "b", "never"))
    assert set(evaluation_splits(dataset).test.labels.tolist()) == {0, 1}
