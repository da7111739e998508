"""Accuracy of the measured model file with the measured engine on this machine."""

from pathlib import Path

import numpy as np

from edgedigits.data import DATASETS, load_dataset
from edgedigits.data.dataset import Samples
from edgedigits.recipes import RECIPES, get_recipe
from edgedigits.training.data_of_model import DataOptions, splits_of_model
from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.intervals import wilson


def measure_accuracy(classifier: Classifier, file: Path, count: int) -> dict[str, object]:
    """Classify `count` test images, evenly spread over the test split; all of them if it has fewer. Raises DataError.

    The interval is Wilson's, of 95%.
    """
    test = _test_images(classifier, file)
    chosen = np.unique(np.linspace(0, len(test.images) - 1, min(count, len(test.images))).astype(int))
    right = int((classifier.predict(test.images[chosen]).argmax(axis=1) == test.labels[chosen]).sum())
    share = wilson(right, len(chosen))
    return {
        "dataset": classifier.contract.dataset,
        "split": "test",
        "images": len(chosen),
        "of": len(test.images),
        "top1": share.value,
        "interval": [share.low, share.high],
    }


def _test_images(classifier: Classifier, file: Path) -> Samples:
    contract = classifier.contract
    recipe, training = contract.recipe, contract.training
    joined = recipe in RECIPES and get_recipe(recipe).split.joined
    if training and training.name in DATASETS and not joined:
        test = load_dataset(training.name).test
        if test is not None:
            return test
    # Splitting off a test set needs more than the light install has.
    return splits_of_model(contract, file, DataOptions()).named("test")
