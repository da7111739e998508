"""Labelled images for an import, in the size and the order of labels that a contract has."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgedigits.data import load_dataset
from edgedigits.data.dataset import Samples
from edgedigits.data.splits import SplitPlan, split
from edgedigits_runtime.contract import Contract, DataUsed
from edgedigits_runtime.foreign.deduction import LabelledImages

TRIED = 6000
"""Images on which the normalisation is tried."""


@dataclass(frozen=True, eq=False)
class EvaluationData:
    """The parts of a dataset; labels are indices of the contract's.

    Attributes:
        name: of the dataset, as given.
        validation: for choices, and to fit temperature and threshold.
        test: for the accuracy.
        labels: names of the classes, in the contract's order.
        digest: of all samples.
        notes: facts for the user, a line each.
    """

    name: str
    validation: Samples
    test: Samples
    labels: tuple[str, ...]
    digest: str
    notes: tuple[str, ...]

    def labelled(self) -> LabelledImages:
        """Return the validation part to try normalisations on."""
        images, labels = self.validation.images[:TRIED], self.validation.labels[:TRIED]
        return LabelledImages(images, labels, self.labels, f"validation images of {self.name}")

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
    return EvaluationData(data, parts.validation, parts.test, dataset.labels, parts.test.digest(), ())
