"""Load a dataset that is published as four IDX files, as MNIST and Fashion-MNIST are."""

from pathlib import Path

import numpy as np

from edgedigits.data.dataset import Dataset, Samples
from edgedigits.data.description import DataFile, Description
from edgedigits.data.idx import parse_idx
from edgedigits.data.obtain import obtain
from edgedigits_runtime.errors import DatasetInvalid

IDX_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def load_idx(description: Description, data_dir: Path | None, *, download: bool) -> Dataset:
    """Load the dataset whose `files` are train images, train labels, test images, test labels.

    Raises:
        DatasetInvalid: the files are not IDX, or do not belong together.
        DataError: see obtain.
    """
    train_images, train_labels, test_images, test_labels = description.files
    return Dataset(
        name=description.name,
        train=_samples(train_images, train_labels, data_dir, download),
        test=_samples(test_images, test_labels, data_dir, download),
        labels=description.labels,
        reader=description.reader,
    )


def _samples(images_file: DataFile, labels_file: DataFile, data_dir: Path | None, download: bool) -> Samples:
    images = parse_idx(obtain(images_file, data_dir, download=download), images_file.name)
    labels = parse_idx(obtain(labels_file, data_dir, download=download), labels_file.name)
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
        raise DatasetInvalid(
            f"expected [N, H, W] in {images_file.name} and [N] in {labels_file.name},"
            f" got {list(images.shape)} and {list(labels.shape)}"
        )
    return Samples(images[..., np.newaxis], labels.astype(np.int64))
