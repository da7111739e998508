"""Build a legacy Keras model with tf-keras: `python -m benchmarks.imports.legacy_child FORM FOLDER`.

FOLDER has `weights.npz` of the base network, and images and labels to train on and to answer in `images.npz`. The model
goes there as `model.h5` or the folder `model`, with its outputs in `answers.npy`.
"""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

tf_keras: Any = importlib.import_module("tf_keras")
layers = tf_keras.layers
Known = dict[str, NDArray[Any]]


def _base(given: Any, known: Known) -> Any:
    """Return the base network with its weights behind `given`, a function of the input."""
    image = layers.Input((28, 28, 1))
    x = given(image)
    for filters in (8, 16):
        x = layers.MaxPooling2D(2)(layers.Conv2D(filters, 3, activation="relu")(x))
    model = tf_keras.Model(image, layers.Dense(10, activation="softmax")(layers.Flatten()(x)))
    model.set_weights([known[f"w{number}"] for number in range(6)])
    return model


def _plain(known: Known) -> Any:
    return _base(lambda image: image, known)


def _operations(known: Known) -> Any:
    """Divide by 255 with an operator of Python, which legacy Keras stores as TFOpLambda."""
    return _base(lambda image: image / 255.0, known)


def _depthwise(known: Known) -> Any:
    model = tf_keras.Sequential([
        layers.Input((28, 28, 1)), layers.Conv2D(8, 3, strides=2, activation="relu"),
        layers.DepthwiseConv2D(3, padding="same", activation="relu"), layers.Conv2D(12, 1, activation="relu"),
        layers.BatchNormalization(), layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    return _fitted(model, known, 3)


def _nested(known: Known) -> Any:
    """Return models in a model, as Teachable Machine writes them."""
    features = tf_keras.Sequential([
        layers.Input((32, 32, 3)), layers.Conv2D(8, 3, strides=2, activation="relu"),
        layers.DepthwiseConv2D(3, activation="relu"), layers.Conv2D(12, 3, strides=2, activation="relu"),
    ])  # fmt: skip
    head = tf_keras.Sequential([layers.Flatten(), layers.Dense(3, activation="softmax", use_bias=False)])
    return _fitted(tf_keras.Sequential([features, head]), known, 9)


def _fitted(model: Any, known: Known, epochs: int) -> Any:
    model.compile(tf_keras.optimizers.legacy.Adam(3e-3), "sparse_categorical_crossentropy")
    model.fit(known["values"], known["labels"], batch_size=64, epochs=epochs, verbose=0)
    return model


FORMS: dict[str, Callable[[Known], Any]] = {
    "plain": _plain, "saved": _plain, "operations": _operations, "depthwise": _depthwise, "nested": _nested,
}  # fmt: skip


def main(form: str, folder: Path) -> None:
    """Build one."""
    tf_keras.utils.set_random_seed(1)
    known: Known = {**np.load(folder / "weights.npz"), **np.load(folder / "images.npz")}
    model = FORMS[form](known)
    np.save(folder / "answers.npy", model.predict(known["compared"], verbose=0))
    if form == "saved":
        model.save(folder / "model", save_format="tf")
    else:
        model.save(folder / "model.h5")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
