"""Train, validation and test: named, seeded splits, stratified by class and disjoint by construction."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgedigits.data.dataset import Dataset, Labels, Samples
from edgedigits_runtime.errors import DataError, DatasetInvalid, MissingExtra, UnknownName

SPLIT_NAMES = ("train", "validation", "test")
# Rounding of a fraction times a count, such as (1 - 0.9) * 10.
EPSILON = 1e-9

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class SplitPlan:
    """How to split.

    Args:
        validation: fraction of the samples outside the test set, above 0 and below 1.
        test: fraction of all samples; used only where the dataset has no test set of its own.
        seed: 0 to 2**32 - 1.
        joined: join the dataset's own train and test samples, in this order, and split them 70/15/15 as scikit-learn's
            `train_test_split(..., random_state=seed)` does in two steps: 30% off, and half of these. Neither step is
            stratified; `validation` and `test` above are not used.

    Raises:
        DataError: a value out of range.
    """

    validation: float = 0.1
    test: float = 0.2
    seed: int = 42
    joined: bool = False

    def __post_init__(self) -> None:
        for name, fraction in (("validation", self.validation), ("test", self.test)):
            if not 0 < fraction < 1:
                raise DataError(f"the {name} split must be a fraction above 0 and below 1, is {fraction}")
        if not 0 <= self.seed < 2**32:
            raise DataError(f"the seed of a split must be from 0 to 2**32 - 1, is {self.seed}")


@dataclass(frozen=True, eq=False)
class Splits:
    """The three parts of a dataset; no sample is in two of them."""

    train: Samples
    validation: Samples
    test: Samples

    def named(self, name: str) -> Samples:
        """Return the part called `name`.

        Raises:
            UnknownName: it is none of train, validation and test.
        """
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        if name not in parts:
            raise UnknownName("split", name, SPLIT_NAMES)
        return parts[name]


def split(dataset: Dataset, plan: SplitPlan) -> Splits:
    """Split `dataset` by `plan`; the same dataset and plan give the same parts, each in the dataset's order.

    The dataset's own test set is the test part. Where it has none, that is drawn first, from all samples.

    Raises:
        DatasetInvalid: a class has too few samples to be in every part.
        MissingExtra: scikit-learn is not installed.
    """
    if plan.joined:
        return _split_joined(dataset, plan.seed)
    samples, test = dataset.train, dataset.test
    rest: Indices = np.arange(len(samples), dtype=np.int64)
    if test is None:
        rest, held_out = _divide(rest, samples.labels, "test", plan.test, plan.seed, dataset)
        test = samples.take(held_out)
    train, validation = _divide(rest, samples.labels, "validation", plan.validation, plan.seed, dataset)
    return Splits(samples.take(train), samples.take(validation), test)


def _split_joined(dataset: Dataset, seed: int) -> Splits:
    """Join train and test, then draw 30% for validation and test, and half of these for test."""
    train_test_split = _train_test_split()
    samples = dataset.train if dataset.test is None else dataset.train.joined(dataset.test)
    train, rest = train_test_split(np.arange(len(samples), dtype=np.int64), test_size=0.3, random_state=seed)
    validation, test = train_test_split(rest, test_size=0.5, random_state=seed)
    return Splits(samples.take(train), samples.take(validation), samples.take(test))


def _divide(
    indices: Indices, labels: Labels, part: str, fraction: float, seed: int, dataset: Dataset
) -> tuple[Indices, Indices]:
    """Draw `fraction` of `indices`, stratified; return those that stay and those drawn."""
    train_test_split = _train_test_split()
    classes = labels[indices]
    _check_classes(classes, part, fraction, dataset)
    stay, drawn = train_test_split(indices, test_size=fraction, stratify=classes, random_state=seed)
    return np.sort(stay), np.sort(drawn)


def _train_test_split() -> Callable[..., list[Indices]]:
    try:
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise MissingExtra("splitting a dataset", "train") from error
    function: Callable[..., list[Indices]] = train_test_split
    return function


def _check_classes(classes: Labels, part: str, fraction: float, dataset: Dataset) -> None:
    """Refuse a class that would be missing on one side."""
    counts = np.bincount(classes, minlength=len(dataset.labels))
    needed = int(np.ceil(1 / min(fraction, 1 - fraction) - EPSILON))
    small = [(label, count) for label, count in zip(dataset.labels, counts, strict=True) if count < needed]
    if small:
        raise DatasetInvalid(
            f"{dataset.name}: a {part} split of {fraction:g} needs at least {needed} samples of each class,"
            f" but {_listed(f'{label!r} has {count}' for label, count in small)};"
            " add samples or change the fraction"
        )


def _listed(items: Iterable[str], most: int = 3) -> str:
    """Join a few items and count the others."""
    all_items = list(items)
    more = len(all_items) - most
    return ", ".join(all_items[:most]) + (f" and {more} more" if more > 0 else "")
