"""Labelled images for an import, framed for the model and with the numbers of its labels."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgedigits.data import load_dataset
from edgedigits.data.dataset import Dataset, Samples
from edgedigits.data.framing import Target
from edgedigits.training.data_of_model import DataOptions, remembered, splits_of_dataset
from edgedigits_runtime.contract import Contract, DataUsed
from edgedigits_runtime.foreign.deduction import LabelledImages


@dataclass(frozen=True, eq=False)
class EvaluationData:
    """The parts of a dataset; labels are indices of the contract's.

    Attributes:
        options: name or folder of the dataset, as given.
        dataset: as loaded.
        train: more images for choices.
        validation: for choices, and to fit temperature and threshold.
        test: for the accuracy.
        labels: names of the classes, in the contract's order.
        notes: facts for the user, a line each.
    """

    options: DataOptions
    dataset: Dataset
    train: Samples
    validation: Samples
    test: Samples
    labels: tuple[str, ...]
    notes: tuple[str, ...]

    def labelled(self) -> LabelledImages:
        """Return the images to try normalisations on: the validation part, then the training part, each shuffled."""
        rng = np.random.default_rng(0)
        parts = [part.take(rng.permutation(len(part))) for part in (self.validation, self.train)]
        joined = parts[0].joined(parts[1])
        origin = f"images of {self.options.data} outside its test part"
        return LabelledImages(joined.images, joined.labels, self.labels, origin)

    def used(self, file: Path) -> DataUsed | None:
        """Return what the contract of `file` remembers."""
        return remembered(self.options, self.dataset, file)


def load_for(contract: Contract, data: str, data_dir: Path | None) -> EvaluationData:
    """Load a dataset for a model; for errors see load_dataset and splits_of_dataset."""
    options = DataOptions(data, data_dir)
    dataset = load_dataset(data, data_dir=data_dir, target=Target.of(contract))
    parts = splits_of_dataset(dataset, contract, Path(contract.name))
    return EvaluationData(options, dataset, parts.train, parts.validation, parts.test, contract.labels, parts.notes)
