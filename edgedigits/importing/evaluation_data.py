"""Labelled images for an import, in the size and the order of labels that a contract has."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgedigits.data import load_dataset
from edgedigits.data.dataset import Samples
from edgedigits.data.splits import SplitPlan, split
from edgedigits_runtime.contract import Contract, DataUsed
from edgedigits_runtime.foreign.deduction import LabelledImages


@dataclass(frozen=True, eq=False)
class EvaluationData:
    """The parts of a dataset; labels are indices of the contract's.

    Attributes:
        name: of the dataset, as given.
        train: more images for choices.
        validation: for choices, and to fit temperature and threshold.
        test: for the accuracy.
        labels: names of the classes, in the contract's order.
        digest: of all samples.
        notes: facts for the user, a line each.
    """

    name: str
    train: Samples
    validation: Samples
    test: Samples
    labels: tuple[str, ...]
    digest: str
    notes: tuple[str, ...]

    def labelled(self) -> LabelledImages:
        """Return the images to try normalisations on: the validation part, then the training part, each shuffled."""
        rng = np.random.default_rng(0)
        parts = [part.take(rng.permutation(len(part))) for part in (self.validation, self.train)]
        joined = parts[0].joined(parts[1])
        return LabelledImages(joined.images, joined.labels, self.labels, f"images of {self.name} outside its test part")

    def most_frequent(self) -> float:
        """Return the share of the most frequent class in the test part."""
        return float(np.bincount(self.test.labels).max() / len(self.test))

    def used(self, file: Path) -> DataUsed:
        """Return what the contract of `file` remembers."""
        del file
        return DataUsed(self.name, len(self.test), self.digest)


def class_names(data: str, data_dir: Path | None) -> tuple[str, ...]:
    """Return the names of a dataset's classes."""
    return load_dataset(data, data_dir=data_dir).labels


def load_for(_contract: Contract, data: str, data_dir: Path | None) -> EvaluationData:
    """Load a dataset for a model; for errors see load_dataset and splits.split."""
    dataset = load_dataset(data, data_dir=data_dir)
    parts = split(dataset, SplitPlan())
    return EvaluationData(data, parts.train, parts.validation, parts.test, dataset.labels, parts.test.digest(), ())
