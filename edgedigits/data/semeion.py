"""Semeion: 1,593 digits of some 80 writers, 16x16 black and white. Buscema and Terzi, UCI Machine Learning Repository.

Each writer wrote the digits twice, neatly and fast. The file does not name the writers, but its labels run from 0 to 9
in four rounds of about 200 digits and two of 400, which are the numbers of ten and twenty writers: a round is one group
of writers here.
"""

from pathlib import Path

import numpy as np

from edgedigits.data.characters import DIGITS, Characters, characters, digits_dataset
from edgedigits.data.dataset import Dataset
from edgedigits.data.description import DataFile, Description
from edgedigits.data.storage import read_file
from edgedigits_runtime.errors import DatasetInvalid

SIDE = 16
END = b"E"
"""After the last line of some copies."""

DESCRIPTION = Description(
    name="semeion",
    about="handwritten digits of some 80 people, scanned to 16x16 black and white",
    homepage="https://archive.ics.uci.edu/dataset/178/semeion+handwritten+digit",
    train=1_593,
    test=None,
    shape=(28, 28, 1),
    labels=DIGITS,
    reader="digits",
    licence="CC BY 4.0",
    files=(
        DataFile(
            "semeion",
            "semeion.data",
            "404458e3a2c6dbe23e813a342d0bb643ff8c6ae6a4ecd6466591f1ac35f70cc3",
            "content",
            ("https://archive.ics.uci.edu/ml/machine-learning-databases/semeion/",),
            also=("f43228ae3da5ea6a3c95069d53450b86166770e3b719dcc333182128fe08d4b1",),  # Without END.
        ),
    ),
)


def load(data_dir: Path | None = None, *, download: bool = True) -> Dataset:
    """Load the digits framed: uint8 [1593, 28, 28, 1], without a test set; for errors see read_file."""
    return digits_dataset(DESCRIPTION, load_characters(data_dir, download=download))


def load_characters(data_dir: Path | None = None, *, download: bool = True) -> Characters:
    """Load the digits as ink of at most 16x16.

    Raises:
        DatasetInvalid: another number of values in a line.
        DataError: see read_file.
    """
    (file,) = DESCRIPTION.files
    lines = read_file(file, data_dir, download=download).removesuffix(END).splitlines()
    rows = [line.split() for line in lines]
    if {len(row) for row in rows} != {SIDE * SIDE + len(DIGITS)}:
        raise DatasetInvalid(f"{file.name}: expected {SIDE * SIDE} pixels and {len(DIGITS)} classes in each line")
    values = np.array(rows, np.float64)
    labels = values[:, SIDE * SIDE :].argmax(axis=1)
    ink = (values[:, : SIDE * SIDE] * 255).astype(np.uint8).reshape(-1, SIDE, SIDE)
    rounds = np.cumsum(np.diff(labels, prepend=0) < 0)
    return characters(ink, [str(label) for label in labels], rounds)
