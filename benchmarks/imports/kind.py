"""A kind of model: how its file is built, and what is known of it without edgedigits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.imports.small_mnist import NAME
from edgedigits_runtime.preprocessing import Images

Feed = Callable[[Images], NDArray[np.float32]]
"""From uint8 pixels [N, H, W, C] to the real values that the model was trained on, in the same shape."""


def unit(images: Images) -> NDArray[np.float32]:
    return images.astype(np.float32) / np.float32(255)


def raw(images: Images) -> NDArray[np.float32]:
    return images.astype(np.float32)


def symmetric(images: Images) -> NDArray[np.float32]:
    return (images.astype(np.float32) / np.float32(127.5) - 1).astype(np.float32)


def mnist_mean(images: Images) -> NDArray[np.float32]:
    return (unit(images) - np.float32(0.1307)) / np.float32(0.3081)


def inverted(images: Images) -> NDArray[np.float32]:
    return 1 - unit(images)


def column_l2(images: Images) -> NDArray[np.float32]:
    """As `keras.utils.normalize(images, axis=1)`."""
    values = images.astype(np.float32)
    length = np.sqrt(np.square(values).sum(axis=1, keepdims=True))
    return (values / np.where(length == 0, 1, length)).astype(np.float32)


def stated_for(feed: Feed) -> dict[str, Any]:
    """Return the fields of a contract with which an owner states a feed."""
    if feed is inverted:
        return {"normalisation": "unit", "polarity": "dark-on-bright"}
    if feed is unit or feed is column_l2:
        return {"normalisation": "unit" if feed is unit else "column-l2"}
    low, high = feed(np.array([[[[0]]], [[[255]]]], np.uint8)).ravel().tolist()
    return {"normalisation": {"scale": [(high - low) / 255], "offset": [low]}}


@dataclass(frozen=True, eq=False)
class Source:
    """A foreign model and what it answers.

    Attributes:
        path: the file, or the folder of a SavedModel.
        images: uint8 [N, H, W, C] on which everything is compared.
        answers: the model's own outputs for them, float32 [N, values], computed without edgedigits; None for a model
            that is to be refused.
        feed: see Feed.
        output: its kind of output, as in a contract.
        options: arguments of edgedigits.import_model.
        stated: fields of the contract that its owner states if import asks for them.
    """

    path: Path
    images: Images
    answers: NDArray[np.float32] | None
    feed: Feed = unit
    output: str = "probabilities"
    options: Mapping[str, Any] = field(default_factory=lambda: {"data": NAME})
    stated: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Kind:
    """A row of the table.

    Attributes:
        group: what wrote the file.
        name: unique, for people.
        build: builds the file into a folder, or finds it there.
        refused: it must be refused by import.
    """

    group: str
    name: str
    build: Callable[[Path], Source]
    refused: bool = False


def probabilities(values: NDArray[np.float32], output: str) -> NDArray[np.float64]:
    """Return the probabilities that outputs of a kind mean, float64 [N, classes], written out by hand."""
    flat = values.reshape(len(values), -1).astype(np.float64)
    if output == "sigmoid":
        return np.hstack([1 - flat, flat])
    if output in ("logits", "log-probabilities"):
        powers = np.exp(flat - flat.max(axis=1, keepdims=True))
        shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
        return shares
    return flat / flat.sum(axis=1, keepdims=True) if output == "sigmoids" else flat
