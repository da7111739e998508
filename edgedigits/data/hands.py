"""Hands: 3,710 characters of 62 classes, written by some 60 people, photographed by phone and cropped to 30 pixels.

Published by T. I. Asif and B. Ray as Handwritten_Letter_Indentification, folder PNG/, under the MIT licence; these are
the files with numbers below 60. The number in a file's name stands for the writer, so results are reported in folds by
writer: a model that is measured on the characters of a fold was not trained on any of its writers.

The numbers drift: 303 pictures are there twice, 300 of them under neighbouring numbers and three under numbers two
apart, 1 to 8 in each class, and each moves the writers behind it by one number. So a model that is measured on a fold
learns from no number within DRIFT of it, see may_train.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgedigits.data.characters import DIGITS, Characters, characters, digits_dataset
from edgedigits.data.dataset import Dataset, Labels
from edgedigits.data.description import DataFolder, Description
from edgedigits.data.framing import decoded
from edgedigits.data.storage import read_folder
from edgedigits_runtime.preprocessing import Images
from edgedigits_runtime.reading.components import find_components
from edgedigits_runtime.reading.ink import find_inks
from edgedigits_runtime.reading.locate import SPECK_SHARE

FOLDS = 5
WRITERS = 60
# By how many numbers one writer may differ between two classes: nearly all classes have 2 to 8 doubles.
DRIFT = 6
CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Of each kind its characters, the name of the kind at the source, and the first number.
KINDS = {
    "capital": (CAPITALS, "CAP", 0),
    "digit": ("".join(DIGITS), "DIGIT", 1),
    "small": (CAPITALS.lower(), "SMALL", 0),
}
MEMBERS = {
    f"{kind}-{character}-{number:03}.png": f"{prefix}_{character}_{number}.png"
    for kind, (letters, prefix, first) in KINDS.items()
    for character in letters
    for number in range(first, WRITERS)
}
COMMIT = "4eb424a2f81bf828ea4460d8eab1159ea56bde14"

DESCRIPTION = Description(
    name="hands",
    about="digits and letters written by some 60 people, photographed by phone",
    homepage="https://github.com/TasnimulIntazamAsif/Handwritten_Letter_Indentification",
    train=590,
    test=None,
    shape=(28, 28, 1),
    labels=DIGITS,
    reader="digits",
    licence="MIT",
    folders=(
        DataFolder(
            "hands",
            "images",
            MEMBERS,
            "7b88a1a31dbd6e4d542be403adb33eaacd04f2517036fa85d0544a1c62956f35",
            (
                f"https://raw.githubusercontent.com/TasnimulIntazamAsif/Handwritten_Letter_Indentification/{COMMIT}/PNG/",
            ),
        ),
    ),
)


def load(data_dir: Path | None = None, *, download: bool = True) -> Dataset:
    """Load the 590 digits, framed: uint8 [590, 28, 28, 1], without a test set; for errors see read_folder."""
    return digits_dataset(DESCRIPTION, load_characters(data_dir, download=download))


def load_characters(data_dir: Path | None = None, *, download: bool = True) -> Characters:
    """Load all 3,710 characters, their ink as the reader finds it in the photographs; for errors see read_folder."""
    pictures = load_pictures(data_dir, download=download)
    names, numbers = [name.split("-")[1] for name in pictures], [int(name[-7:-4]) for name in pictures]
    return characters(map(_character, find_inks(list(pictures.values()))), names, numbers)


def load_pictures(data_dir: Path | None = None, *, download: bool = True) -> dict[str, Images]:
    """Load the photographs by name, such as "capital-A-000.png": uint8 [H, W, 3]; for errors see read_folder."""
    (folder,) = DESCRIPTION.folders
    contents = read_folder(folder, data_dir, download=download)
    return dict(zip(contents, decoded(contents.values(), None), strict=True))


def fold_of(writers: Labels) -> Labels:
    """Return the fold, 0 to FOLDS - 1, of each writer's number: twelve neighbouring numbers are a fold."""
    return np.asarray(writers) * FOLDS // WRITERS


def may_train(writers: Labels, fold: int) -> NDArray[np.bool_]:
    """Return from which characters, bool [N], a model may learn that is measured on `fold`."""
    first, last = fold * WRITERS // FOLDS, (fold + 1) * WRITERS // FOLDS - 1
    numbers = np.asarray(writers)
    return (numbers < first - DRIFT) | (numbers > last + DRIFT)


def _character(ink: Images) -> Images:
    """Return the heaviest connected component, and others within the picture that are no specks, such as a dot."""
    components = find_components(ink > 0)
    masks = [components.mask(k) for k in range(len(components))]
    places = [np.s_[top:bottom, left:right] for top, left, bottom, right in components.boxes.tolist()]
    weights = [int(ink[place][mask].sum()) for place, mask in zip(places, masks, strict=True)]
    kept = np.zeros_like(ink)
    for place, mask, weight in zip(places, masks, weights, strict=True):
        rows, columns = place
        within = rows.start > 0 < columns.start and rows.stop < ink.shape[0] and columns.stop < ink.shape[1]
        if weight == max(weights) or (within and weight >= SPECK_SHARE * max(weights)):
            kept[place][mask] = ink[place][mask]
    return kept
