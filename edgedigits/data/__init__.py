"""Datasets by name: one module each, loaded on use, and folders of people's own pictures."""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from edgedigits_runtime.errors import DatasetInvalid, UnknownName

if TYPE_CHECKING:
    from edgedigits.data.dataset import Dataset
    from edgedigits.data.description import Description

# Each module has a DESCRIPTION and load(data_dir, *, download).
DATASETS: dict[str, str] = {
    "mnist": "edgedigits.data.mnist",
    "fashion-mnist": "edgedigits.data.fashion_mnist",
    "cifar10": "edgedigits.data.cifar10",
    "optdigits": "edgedigits.data.optdigits",
}
A_FOLDER = "or the path of a folder with one sub-folder of pictures for each class"


def load_dataset(name: str, *, data_dir: Path | None = None, download: bool = True) -> "Dataset":
    """Load a dataset: one of DATASETS, or a folder of pictures, one sub-folder for each class.

    Args:
        name: a name of DATASETS or the path of a folder; "./mnist" is a folder called like a dataset.
        data_dir: looked in first, before EDGEDIGITS_DATA and the user's cache; if given, a download goes
            there and not into the cache.
        download: whether to use the network for files that are not on disk.

    Raises:
        UnknownName: neither a known name nor a folder.
        DataError: it is not on disk and cannot be downloaded, or its files are not what they should be.
        MissingExtra: it needs a package that is not installed.
    """
    if name in DATASETS:
        dataset: Dataset = importlib.import_module(DATASETS[name]).load(data_dir, download=download)
        return dataset
    folder = Path(name).expanduser()
    if folder.is_file():
        raise DatasetInvalid(f"{name} is a file; expected one of {', '.join(DATASETS)}, {A_FOLDER}")
    if not folder.is_dir():
        raise UnknownName("dataset", name, [*DATASETS, A_FOLDER])
    from edgedigits.data.folder import load_folder

    return load_folder(folder)


def describe(name: str) -> "Description":
    """Return what is known of a dataset of DATASETS without loading it.

    Raises:
        UnknownName: no such dataset.
    """
    if name not in DATASETS:
        raise UnknownName("dataset", name, DATASETS)
    description: Description = importlib.import_module(DATASETS[name]).DESCRIPTION
    return description
