"""Fashion-MNIST: 70,000 pictures of clothes of 28x28, in MNIST's format. Xiao, Rasul and Vollgraf 2017.

The authors publish MD5 sums of the compressed files only (README of zalandoresearch/fashion-mnist).
"""

from pathlib import Path

from edgedigits.data.dataset import Dataset
from edgedigits.data.description import Description
from edgedigits.data.idx import idx_files, load_idx

MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
)
MD5_OF_CONTAINER = (
    "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "25c81989df183df01b3e8a0aad5dffbe",
    "bef4ecab320f06d8554ea6380940ec79",
    "bb300cfdad3c16e7a12a480ee83cd310",
)

DESCRIPTION = Description(
    name="fashion-mnist",
    about="pictures of clothes from Zalando's shop, bright on black",
    homepage="https://github.com/zalandoresearch/fashion-mnist",
    train=60_000,
    test=10_000,
    shape=(28, 28, 1),
    labels=(
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    reader="plain",
    licence="MIT",
    files=idx_files("fashion-mnist", MIRRORS, "container", MD5_OF_CONTAINER),
)


def load(data_dir: Path | None = None, *, download: bool = True) -> Dataset:
    """Load Fashion-MNIST: uint8 [60000, 28, 28, 1] and [10000, 28, 28, 1]; for errors see load_idx."""
    return load_idx(DESCRIPTION, data_dir, download=download)
