"""Omniglot, its two small background sets: 242 letters of eight alphabets, drawn by 20 people each on a screen.

Lake, Salakhutdinov and Tenenbaum 2015 (github.com/brendenlake/omniglot), MIT licence. Latin and Greek are in both sets
and taken once. Some letters are digits to anyone, such as a ring, a stroke or a Tagalog 3: LIKE_DIGITS lists those that
were taken for a digit, in part or in some hands, by looking at every letter. They are AMBIGUOUS here.
"""

import io
import zipfile
from itertools import accumulate
from pathlib import Path

import numpy as np
from PIL import Image

from edgedigits.data.characters import AMBIGUOUS, Characters, characters
from edgedigits.data.dataset import Dataset, Labels, Samples
from edgedigits.data.description import DataFile, Description
from edgedigits.data.storage import read_file
from edgedigits_runtime.errors import DatasetInvalid
from edgedigits_runtime.preprocessing import Images

SIDE = 105
DRAWERS = 20
MIRRORS = ("https://raw.githubusercontent.com/brendenlake/omniglot/master/python/",)
LETTERS = {
    "Balinese": 24,
    "Early_Aramaic": 22,
    "Greek": 24,
    "Japanese_(katakana)": 47,
    "Korean": 40,
    "Latin": 26,
    "Sanskrit": 42,
    "Tagalog": 17,
}
FIRST_LETTER = dict(zip(LETTERS, accumulate(LETTERS.values(), initial=0), strict=False))
LIKE_DIGITS = {
    "Balinese": (3, 4, 5, 14),
    "Early_Aramaic": (2, 3, 4, 5, 6, 7, 10, 11, 12, 14, 16, 17, 20),
    "Greek": (2, 4, 6, 8, 9, 14, 15, 18),
    "Japanese_(katakana)": (
        *(1, 2, 8, 9, 12, 22, 24, 25, 27, 28, 30, 31, 32),
        *(36, 37, 38, 39, 42, 43, 45, 46),
    ),
    "Korean": (6, 7, 8, 12, 16, 17, 20, 21, 22, 23, 24, 27, 28, 33, 34, 37, 40),
    "Latin": (),  # By their names, see MAY_BE_DIGITS.
    "Sanskrit": (5, 6, 12, 13, 14, 18, 27, 29, 33, 36, 37),
    "Tagalog": (3, 4, 7, 10, 13, 14, 16, 17),
}

DESCRIPTION = Description(
    name="omniglot",
    about="letters of eight alphabets, drawn by 20 people each, black on white",
    homepage="https://github.com/brendenlake/omniglot",
    train=4_840,
    test=None,
    shape=(SIDE, SIDE, 1),
    labels=tuple(
        chr(ord("a") + number - 1) if alphabet == "Latin" else f"{alphabet} {number:02}"
        for alphabet, count in LETTERS.items()
        for number in range(1, count + 1)
    ),
    reader="plain",
    licence="MIT",
    files=(
        DataFile(
            "omniglot",
            "images_background_small1.zip",
            "f38eb80f801274ac2b4dff5b24289016bfaba4a7d5bb50deebf27104ad6cb8a4",
            "container",
            MIRRORS,
        ),
        DataFile(
            "omniglot",
            "images_background_small2.zip",
            "3ccaa407515a8778e5d0861875af38b17e418f301ad5bb3b5a6b65d901a41c7f",
            "container",
            MIRRORS,
        ),
    ),
)


def load(data_dir: Path | None = None, *, download: bool = True) -> Dataset:
    """Load the letters as drawn, uint8 [4840, 105, 105, 1], bright on 0, 242 classes; for errors see load_letters."""
    images, labels, _ = load_letters(data_dir, download=download)
    samples = Samples(images[..., np.newaxis], labels)
    return Dataset(DESCRIPTION.name, samples, None, DESCRIPTION.labels, DESCRIPTION.reader)


def load_characters(data_dir: Path | None = None, *, download: bool = True) -> Characters:
    """Load the letters as ink, NON_DIGIT or AMBIGUOUS; for errors see load_letters."""
    images, labels, writers = load_letters(data_dir, download=download)
    names = [DESCRIPTION.labels[label] for label in labels.tolist()]
    found = characters(images, names, writers)
    like = {DESCRIPTION.labels.index(f"{alphabet} {k:02}") for alphabet, all_k in LIKE_DIGITS.items() for k in all_k}
    found.classes[np.isin(labels, list(like))] = AMBIGUOUS
    return found


def load_letters(data_dir: Path | None = None, *, download: bool = True) -> tuple[Images, Labels, Labels]:
    """Load the images, uint8 [N, 105, 105] bright on 0, their letters [N] and writers [N]: 20 for each alphabet.

    Raises:
        DatasetInvalid: not a zip archive of these letters.
        DataError: see read_file.
    """
    images, letters, writers = {}, {}, {}
    for file in DESCRIPTION.files:
        content = read_file(file, data_dir, download=download)
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for name in sorted(archive.namelist()):
                    # Such as images_background_small1/Greek/character03/0396_20.png.
                    _, key = name.split("/", 1)
                    if not key.endswith(".png"):
                        continue
                    alphabet, letter, drawer = key.removesuffix(".png").replace("character", "").split("/")
                    images[key] = np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("L"))
                    letters[key] = FIRST_LETTER[alphabet] + int(letter) - 1
                    writers[key] = list(LETTERS).index(alphabet) * DRAWERS + int(drawer[-2:]) - 1
        except (zipfile.BadZipFile, OSError, KeyError, ValueError) as error:
            raise DatasetInvalid(f"{file.name}: expected a zip archive of letters as PNG files: {error}") from error
    order = list(images)
    return (
        ~np.stack([images[key] for key in order]),
        np.array([letters[key] for key in order], np.int64),
        np.array([writers[key] for key in order], np.int64),
    )
