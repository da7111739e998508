"""Match the classes of a dataset with the labels of a model, by name."""

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.errors import DatasetInvalid

LISTED = 5
"""Names in an error message; the rest are counted."""


def match_labels(names: Sequence[str], labels: Sequence[str], dataset: str, model: str) -> NDArray[np.int64]:
    """Return for each class of a dataset the number of the model's label with its name, int64 [classes].

    Names may differ in case, and in the way that accents are stored, if that leaves one label. The model may have
    labels that the dataset lacks. `dataset` and `model` name both in messages.

    Raises:
        DatasetInvalid: a class has no label of its own.
    """
    found = [_numbers_of(name, labels) for name in names]
    unknown = [name for name, numbers in zip(names, found, strict=True) if not numbers]
    if unknown:
        raise DatasetInvalid(
            f"{dataset} has the classes {_listed(unknown)}, which {model} lacks: its labels are {_listed(labels)};"
            " rename the classes, or name the right dataset with --data"
        )
    taken = [number for numbers in found for number in numbers]
    doubtful = [name for name, numbers in zip(names, found, strict=True) if sum(map(taken.count, numbers)) > 1]
    if doubtful:
        raise DatasetInvalid(
            f"the classes {_listed(doubtful)} of {dataset} are not one label each of {model}: its labels are"
            f" {_listed(labels)}; rename the classes"
        )
    return np.array(taken, np.int64)


def _numbers_of(name: str, labels: Sequence[str]) -> list[int]:
    same = [number for number, label in enumerate(labels) if label == name]
    return same or [number for number, label in enumerate(labels) if _folded(label) == _folded(name)]


def _folded(name: str) -> str:
    # macOS stores accents of file names as characters of their own.
    return unicodedata.normalize("NFC", name).casefold()


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
