"""The dataset `mnist-small`: 3,000 training and 5,000 test images of MNIST, registered by this benchmark only."""

import dataclasses
from functools import lru_cache
from pathlib import Path

from edgedigits.data import DATASETS, mnist
from edgedigits.data.dataset import Dataset, Samples

NAME = "mnist-small"
FITTED, TRAIN, TEST = 50_000, 3_000, 5_000
"""Numbers of images: networks are trained on the first FITTED of MNIST's training images; the next TRAIN are here."""

DESCRIPTION = dataclasses.replace(mnist.DESCRIPTION, name=NAME, train=TRAIN, test=TEST)


def register() -> None:
    """Make the dataset known by its name in this process."""
    DATASETS[NAME] = "benchmarks.imports.small_mnist"


@lru_cache(maxsize=1)
def load(data_dir: Path | None = None, *, download: bool = True) -> Dataset:
    """Load it; for errors see edgedigits.data.mnist.load."""
    whole = mnist.load(data_dir, download=download)
    assert whole.test is not None
    train = Samples(whole.train.images[FITTED : FITTED + TRAIN], whole.train.labels[FITTED : FITTED + TRAIN])
    test = Samples(whole.test.images[:TEST], whole.test.labels[:TEST])
    return Dataset(NAME, train, test, whole.labels, whole.reader)


def fitting(count: int = FITTED) -> Samples:
    """Return images to train networks on."""
    train = mnist.load().train
    return Samples(train.images[:count], train.labels[:count])
