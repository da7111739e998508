"""Seeded splits into train, validation and test, stratified by class and disjoint."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgedigits.data.dataset import Dataset, Labels, Samples
from edgedigits_runtime.errors import DataError, DatasetInvalid, MissingExtra, UnknownName

SPLIT_NAMES = ("train", "validation", "test")
# For rounding errors, such as in (1 - 0.9) * 10.
EPSILON = 1e-9

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class SplitPlan:
    """The fractions and the seed of a split.

    Args:
        validation: fraction of the samples outside the test set, above 0 and below 1.
        test: fraction of all samples; used only if the dataset has no test set.
        seed: 0 to 2**32 - 1.
        joined: join the train and test samples, in this order, and split them 70/15/15 with two calls of scikit-learn's
            `train_test_split(..., random_state=seed)`: 30%, and half of these. Neither is stratified; `validation` and
            `test` are not used.

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
                raise DataError(f"expected a {name} fraction above 0 and below 1, got {fraction}")
        if not 0 <= self.seed < 2**32:
            raise DataError(f"expected a seed from 0 to 2**32 - 1, got {self.seed}")


@dataclass(frozen=True, eq=False)
class Splits:
    """The three disjoint parts of a dataset, and notes for the user; see also evaluation_splits."""

    train: Samples
    validation: Samples
    test: Samples
    notes: tuple[str, ...] = ()

    def named(self, name: str) -> Samples:
        """Return the part called `name`.

        Raises:
            UnknownName: no such part.
        """
        check_split(name)
        samples: Samples = getattr(self, name)
        return samples

    def renumbered(self, numbers: Indices) -> "Splits":
        """Return the parts with class `numbers[n]` in place of n, see label_matching."""
        train, validation, test = (self.named(name).renumbered(numbers) for name in SPLIT_NAMES)
        return Splits(train, validation, test, self.notes)


def check_split(name: str) -> None:
    """Raise UnknownName if no part of a dataset is called so."""
    if name not in SPLIT_NAMES:
        raise UnknownName("split", name, SPLIT_NAMES)


def split(dataset: Dataset, plan: SplitPlan) -> Splits:
    """Split `dataset` by `plan`; the result is reproducible, and each part keeps the dataset's order.

    The dataset's test set is the test part. Without one, the test part is drawn first, from all samples.

    Raises:
        DatasetInvalid: a class has too few samples for every part.
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
    return Splits(samples.take(train), samples.take(validation), test, dataset.notes)


def _split_joined(dataset: Dataset, seed: int) -> Splits:
    """Split as SplitPlan.joined describes."""
    train_test_split = _train_test_split()
    samples = dataset.train if dataset.test is None else dataset.train.joined(dataset.test)
    train, rest = train_test_split(np.arange(len(samples), dtype=np.int64), test_size=0.3, random_state=seed)
    validation, test = train_test_split(rest, test_size=0.5, random_state=seed)
    return Splits(samples.take(train), samples.take(validation), samples.take(test), dataset.notes)


def _divide(
    indices: Indices, labels: Labels, part: str, fraction: float, seed: int, dataset: Dataset
) -> tuple[Indices, Indices]:
    """Draw `fraction` of `indices`, stratified; return the remaining and the drawn ones."""
    classes = labels[indices]
    _check_classes(classes, part, fraction, dataset)
    remaining, drawn = _train_test_split()(indices, test_size=fraction, stratify=classes, random_state=seed)
    return np.sort(remaining), np.sort(drawn)


def _train_test_split() -> Callable[..., list[Indices]]:
    try:
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise MissingExtra("splitting a dataset", "train-cpu") from error
    function: Callable[..., list[Indices]] = train_test_split
    return function


def _check_classes(classes: Labels, part: str, fraction: float, dataset: Dataset) -> None:
    """Refuse a class that would be missing in one part."""
    counts = np.bincount(classes, minlength=len(dataset.labels))
    needed = int(np.ceil(1 / min(fraction, 1 - fraction) - EPSILON))
    pairs = zip(dataset.labels, counts, strict=True)
    small = [f"{label!r} has {count}" for label, count in pairs if count < needed]
    if small:
        more = f" and {len(small) - 3} more" if len(small) > 3 else ""
        raise DatasetInvalid(
            f"{dataset.name}: a {part} split of {fraction:g} needs at least {needed} samples of each class,"
            f" but {', '.join(small[:3])}{more}; add samples or change the fraction"
        )
