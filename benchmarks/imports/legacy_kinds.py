"""Kinds of legacy Keras model, written by tf-keras in a child process, and SavedModels."""

import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.imports import bare, pictures
from benchmarks.imports.kind import Feed, Kind, Source, raw, stated_for, symmetric, unit
from benchmarks.imports.small_mnist import NAME
from benchmarks.imports.trained import base_layers, base_network
from edgedigits.data.dataset import Samples


def _build(
    form: str, place: Path, feed: Feed = unit, fitting: Samples | None = None, compared: Any = None, **options: Any
) -> Source:
    """Build a model in a child process, since TensorFlow takes one Keras."""
    images = pictures.compared_digits() if compared is None else compared
    fitting = fitting or pictures.digits()
    if not (place / "answers.npy").is_file():
        place.mkdir(parents=True, exist_ok=True)
        weights: dict[str, Any] = {f"w{number}": weight for number, weight in enumerate(base_network(place.parent))}
        np.savez(place / "weights.npz", **weights)
        np.savez(
            place / "images.npz", values=feed(fitting.images), labels=fitting.labels, compared=feed(images)
        )  # fmt: skip
        command = [sys.executable, "-m", "benchmarks.imports.legacy_child", form, str(place)]
        subprocess.run(command, check=True)
        (place / "images.npz").unlink()
    path = place / ("model" if form == "saved" else "model.h5")
    return Source(
        path, images, np.load(place / "answers.npy"), feed, options=options or {"data": NAME}, stated=stated_for(feed)
    )


def _nested(place: Path) -> Source:
    """Build a model of three shapes with the labels.txt that Teachable Machine writes beside it."""
    test = pictures.shapes(300, 3)
    folder = pictures.as_folder(place / "pictures", pictures.shapes(300, 2), test, pictures.SHAPES)
    labels = place / "labels.txt"
    labels.write_text("".join(f"{number} {name}\n" for number, name in enumerate(pictures.SHAPES)))
    return _build(
        "nested", place, symmetric, pictures.shapes(1_200, 1), test.images[: pictures.COMPARED],
        labels=str(labels), data=str(folder),
    )  # fmt: skip


def _exported(place: Path) -> Source:
    """Write a SavedModel as Keras 3 exports it."""
    path = place / "model"
    network = base_layers()
    network.set_weights(base_network(place.parent))
    if not path.is_dir():
        network.export(path, verbose=False)
    images = pictures.compared_digits()
    return Source(path, images, bare.answers(place.parent / "base.keras", unit(images)), stated=stated_for(unit))


def _kind(name: str, form: str, **options: Any) -> Kind:
    return Kind("legacy Keras", name, partial(_build, form, **options))


KINDS = [
    _kind("CNN as .h5", "plain"),
    _kind("CNN as SavedModel", "saved"),
    _kind("x / 255 in the graph (TFOpLambda)", "operations", feed=raw),
    _kind("DepthwiseConv2D with groups, -1..1", "depthwise", feed=symmetric),
    Kind("legacy Keras", "models in a model, RGB, labels.txt", _nested),
    Kind("SavedModel", "Keras 3's export", _exported),
]
