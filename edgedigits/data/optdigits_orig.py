"""Optdigits as scanned: 1,934 digits of 30 writers as 32x32 bitmaps. Alpaydin and Kaynak, UCI Repository.

They are the training part of "Optical Recognition of Handwritten Digits" before it was reduced to 8x8. The 1,797 digits
in scikit-learn (`optdigits`) are of 13 other writers, so they stay a test. The file does not name the writers.
"""

from pathlib import Path

import numpy as np

from edgedigits.data.characters import DIGITS, Characters, characters, digits_dataset
from edgedigits.data.dataset import Dataset
from edgedigits.data.description import DataFile, Description
from edgedigits.data.storage import read_file
from edgedigits_runtime.errors import DatasetInvalid

SIDE = 32

DESCRIPTION = Description(
    name="optdigits-orig",
    about="handwritten digits of 30 people in Turkey, scanned to 32x32 black and white",
    homepage="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
    train=1_934,
    test=None,
    shape=(28, 28, 1),
    labels=DIGITS,
    reader="digits",
    licence="CC BY 4.0",
    files=(
        DataFile(
            "optdigits-orig",
            "optdigits-orig.tra.Z",
            "a4eff709680076cae40420343de292b5960fc2b0da439b8a57c3d14124113bda",
            "content",
            ("https://archive.ics.uci.edu/ml/machine-learning-databases/optdigits/",),
        ),
    ),
)


def load(data_dir: Path | None = None, *, download: bool = True) -> Dataset:
    """Load the digits framed: uint8 [1934, 28, 28, 1], without a test set; for errors see read_file."""
    return digits_dataset(DESCRIPTION, load_characters(data_dir, download=download))


def load_characters(data_dir: Path | None = None, *, download: bool = True) -> Characters:
    """Load the digits as ink of at most 32x32, all with writer 0.

    Raises:
        DatasetInvalid: not 32 lines of 32 bits and a digit, again and again, after the header.
        DataError: see read_file.
    """
    (file,) = DESCRIPTION.files
    lines = read_file(file, data_dir, download=download).decode("ascii", "replace").splitlines()
    rows = [line for line in lines if len(line) == SIDE and set(line) <= {"0", "1"}]
    labels = [line.strip() for line in lines if line.strip() in DIGITS]
    if not labels or len(rows) != SIDE * len(labels):
        raise DatasetInvalid(f"{file.name}: expected {SIDE} rows of {SIDE} bits for each digit")
    bits = np.frombuffer("".join(rows).encode(), np.uint8) - ord("0")
    return characters((bits * 255).reshape(-1, SIDE, SIDE), labels, np.zeros(len(labels), np.int64))
