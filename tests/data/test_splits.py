"""Splits are disjoint, complete, stratified and reproducible."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from edgedigits.data.dataset import Dataset, Samples
from edgedigits.data.splits import SPLIT_NAMES, SplitPlan, Splits, split
from edgedigits_runtime.errors import DataError, DatasetInvalid, MissingExtra, UnknownName


def numbered(labels: list[int] | np.ndarray, start: int = 0) -> Samples:
    """Samples whose pixels are their number."""
    numbers = np.arange(start, start + len(labels), dtype="<u4")
    return Samples(numbers.view(np.uint8).reshape(-1, 2, 2, 1), np.asarray(labels, np.int64))


def numbers_of(samples: Samples) -> list[int]:
    return np.ascontiguousarray(samples.images).reshape(-1, 4).view("<u4").ravel().tolist()


def dataset_of(counts: list[int], seed: int = 0, test: Samples | None = None) -> Dataset:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    names = tuple(f"class {number}" for number in range(len(counts)))
    return Dataset("made", numbered(labels), test, names, "plain")


def parts(splits: Splits) -> list[Samples]:
    return [splits.named(name) for name in SPLIT_NAMES]


COUNTS = st.lists(st.integers(20, 60), min_size=2, max_size=6)
PLANS = st.builds(
    SplitPlan, st.floats(0.08, 0.9), st.floats(0.08, 0.5), st.integers(0, 2**32 - 1)
)  # Classes that are too small have their own tests below.


@settings(max_examples=60, deadline=None)
@given(COUNTS, PLANS)
def test_splits_are_disjoint_complete_and_have_every_class(counts, plan):
    dataset = dataset_of(counts)
    try:
        splits = split(dataset, plan)
    except DatasetInvalid:
        smallest = min(counts)
        fractions = (plan.validation, 1 - plan.validation, plan.test, 1 - plan.test)
        assert smallest * (1 - plan.test) * min(fractions) < 2
        return
    together = [number for part in parts(splits) for number in numbers_of(part)]
    assert sorted(together) == list(range(sum(counts)))
    for part in parts(splits):
        assert set(part.labels) == set(range(len(counts)))
        assert np.array_equal(part.labels, dataset.train.labels[numbers_of(part)])


@settings(max_examples=40, deadline=None)
@given(COUNTS, st.integers(0, 2**32 - 1))
def test_splits_are_stratified_to_within_one_sample(counts, seed):
    splits = split(dataset_of(counts), SplitPlan(seed=seed))
    held_out = np.bincount(splits.test.labels)
    assert np.all(np.abs(held_out - np.array(counts) * len(splits.test) / sum(counts)) <= 1)
    rest = np.array(counts) - held_out
    drawn = np.bincount(splits.validation.labels)
    assert np.all(np.abs(drawn - rest * len(splits.validation) / rest.sum()) <= 1)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_splits_depend_on_the_seed(first, second):
    dataset = dataset_of([100, 100])
    same = [split(dataset, SplitPlan(seed=first)), split(dataset, SplitPlan(seed=first))]
    other = split(dataset, SplitPlan(seed=second))
    for name in SPLIT_NAMES:
        assert same[0].named(name).digest() == same[1].named(name).digest()
        if first != second:
            assert same[0].named(name).digest() != other.named(name).digest()


def test_the_datasets_test_set_is_kept():
    own = numbered([0, 1, 1], start=1000)
    splits = split(dataset_of([50, 50], test=own), SplitPlan(validation=0.1, test=0.5))
    assert splits.test is own
    assert (len(splits.train), len(splits.validation)) == (90, 10)


def test_a_missing_test_set_is_drawn_first():
    splits = split(dataset_of([50, 50]), SplitPlan(validation=0.1, test=0.2))
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (72, 8, 20)


def test_parts_keep_the_datasets_order():
    for part in parts(split(dataset_of([50, 50]), SplitPlan())):
        assert numbers_of(part) == sorted(numbers_of(part))


def test_a_class_of_too_few_samples_is_refused():
    own = numbered([0])
    assert len(split(dataset_of([10, 30], test=own), SplitPlan(validation=0.1)).validation) == 4
    with pytest.raises(DatasetInvalid) as caught:
        split(dataset_of([9, 30], test=own), SplitPlan(validation=0.1))
    assert all(fact in str(caught.value) for fact in ("10", "'class 0'", "9"))


def test_an_error_lists_three_small_classes():
    with pytest.raises(DatasetInvalid, match=r"'class 2'.*17"):
        split(dataset_of([1] * 20), SplitPlan())


def test_an_empty_class_is_refused():
    dataset = dataclasses.replace(dataset_of([30, 30]), labels=("a", "b", "never"))
    with pytest.raises(DatasetInvalid, match="'never'"):
        split(dataset, SplitPlan())


def test_an_unknown_part_is_refused():
    with pytest.raises(UnknownName, match=r"'valid'.*train, validation, test"):
        split(dataset_of([50, 50]), SplitPlan()).named("valid")


@pytest.mark.parametrize(
    "wrong", [{"validation": 0.0}, {"validation": 1.0}, {"test": -0.1}, {"test": float("nan")}, {"seed": -1}]
)
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(DataError, match=f"{next(iter(wrong))}"):
        SplitPlan(**wrong)


def test_scikit_learn_is_needed(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.model_selection", None)
    with pytest.raises(MissingExtra, match=r"\[train-cpu\]"):
        split(dataset_of([50, 50]), SplitPlan())


def test_the_joined_split_equals_scikit_learns():
    rng = np.random.default_rng(0)
    train, test = numbered(rng.integers(0, 3, 600)), numbered(rng.integers(0, 3, 100), start=600)
    parts = split(Dataset("joined", train, test, ("a", "b", "c"), "plain"), SplitPlan(joined=True, seed=42))
    images, labels = np.concatenate([train.images, test.images]), np.concatenate([train.labels, test.labels])
    kept, rest, kept_labels, rest_labels = train_test_split(images, labels, test_size=0.3, random_state=42)
    validation, held_out, validation_labels, held_out_labels = train_test_split(
        rest, rest_labels, test_size=0.5, random_state=42
    )
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (490, 105, 105)
    for part, expected, expected_labels in (
        (parts.train, kept, kept_labels),
        (parts.validation, validation, validation_labels),
        (parts.test, held_out, held_out_labels),
    ):
        assert np.array_equal(part.images, expected) and np.array_equal(part.labels, expected_labels)
