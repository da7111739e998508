"""Datasets by name, each in a module that is imported on use, and folders of a user's own pictures."""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from edgedigits_runtime.errors import DatasetInvalid, UnknownName

if TYPE_CHECKING:
    from edgedigits.data.dataset import Dataset
    from edgedigits.data.description import Description
    from edgedigits.data.framing import Target
    from edgedigits_runtime.contract import ReaderKind

# Each module has a DESCRIPTION and load(data_dir, *, download).
DATASETS: dict[str, str] = {
    "mnist": "edgedigits.data.mnist",
    "fashion-mnist": "edgedigits.data.fashion_mnist",
    "cifar10": "edgedigits.data.cifar10",
    "optdigits": "edgedigits.data.optdigits",
    "hands": "edgedigits.data.hands",
    "semeion": "edgedigits.data.semeion",
    "optdigits-orig": "edgedigits.data.optdigits_orig",
    "pendigits": "edgedigits.data.pendigits",
    "omniglot": "edgedigits.data.omniglot",
}
DIGITS = frozenset("0123456789")
A_FOLDER = "or the path of a folder with one sub-folder of pictures for each class"


def load_dataset(
    name: str, *, data_dir: Path | None = None, download: bool = True, target: "Target | None" = None
) -> "Dataset":
    """Load one of DATASETS, or a folder of pictures with one sub-folder for each class.

    Args:
        name: key in DATASETS, or the path of a folder; "./mnist" is a folder.
        data_dir: searched before EDGEDIGITS_DATA and the user's cache; a download goes there if given, else into
            the cache.
        download: download missing files.
        target: what a model takes; images of another shape, and all pictures of a folder, are framed for it. None
            returns the images as they are; for pictures of a folder see load_folder.

    Raises:
        UnknownName: neither a known name nor a folder.
        DataError: not on disk and not downloaded, or not the published files.
        MissingExtra: a package is not installed.
    """
    if name in DATASETS:
        dataset: Dataset = importlib.import_module(DATASETS[name]).load(data_dir, download=download)
        if target is None:
            return dataset
        from edgedigits.data.framing import framed_dataset

        return framed_dataset(dataset, target)
    from edgedigits.data.folder import load_folder

    return load_folder(_folder(name), target)


def dataset_labels(name: str) -> tuple[str, ...]:
    """Return the names of a dataset's classes, without loading its images; for errors see load_dataset."""
    if name in DATASETS:
        return describe(name).labels
    from edgedigits.data.folder import folder_labels

    return folder_labels(_folder(name))


def folder_target(name: str, reader: "ReaderKind | None") -> "Target | None":
    """Return how the pictures of a folder are framed to train a new network; None for plain pictures and DATASETS.

    Args:
        name: see load_dataset.
        reader: "digits" frames each picture's digit as MNIST's, "plain" takes whole pictures; None is "digits" if each
            class is called by a digit.

    Raises:
        DatasetInvalid: "digits" for a folder with other classes; for other errors see load_dataset.
    """
    if name in DATASETS or reader == "plain":
        return None
    labels = dataset_labels(name)
    if DIGITS.issuperset(labels):
        from edgedigits.data.framing import Target
        from edgedigits_runtime.reading.framed import FRAME_SHAPE

        return Target(FRAME_SHAPE, "digits")
    if reader == "digits":
        other = next(label for label in labels if label not in DIGITS)
        raise DatasetInvalid(f"{name}: the digit reader expects classes called 0 to 9, got {other!r}; use plain")
    return None


def _folder(name: str) -> Path:
    folder = Path(name).expanduser()
    if folder.is_file():
        raise DatasetInvalid(f"{name} is a file; expected one of {', '.join(DATASETS)}, {A_FOLDER}")
    if not folder.is_dir():
        raise UnknownName("dataset", name, [*DATASETS, A_FOLDER])
    return folder


def describe(name: str) -> "Description":
    """Return the description of one of DATASETS without loading it.

    Raises:
        UnknownName: no such dataset.
    """
    if name not in DATASETS:
        raise UnknownName("dataset", name, DATASETS)
    description: Description = importlib.import_module(DATASETS[name]).DESCRIPTION
    return description
