"""Small networks, trained once and stored below a folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.imports import pictures
from benchmarks.imports.kind import Feed, unit
from benchmarks.imports.small_mnist import fitting
from edgedigits.data.dataset import Samples

EPOCHS, BATCH, RATE = 4, 64, 3e-3


def trained(
    path: Path,
    build: Callable[[], Any],
    samples: Samples | None = None,
    *,
    feed: Feed = unit,
    loss: str = "classes",
) -> Any:
    """Return the network stored at `path`, after it was built and trained if it is not there.

    Args:
        path: a `.keras` file.
        build: returns the network.
        samples: to train on; None for digits.
        feed: from pixels to its input.
        loss: "classes" for probabilities, "logits", or "two" for one sigmoid.
    """
    import keras

    if path.is_file():
        return keras.models.load_model(path, compile=False)
    keras.utils.set_random_seed(1)
    samples = samples or pictures.digits()
    network = build()
    losses = {
        "classes": keras.losses.SparseCategoricalCrossentropy(),
        "logits": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        "two": keras.losses.BinaryCrossentropy(),
    }
    values = feed(samples.images).reshape((len(samples), *network.input_shape[1:]))
    order = np.random.default_rng(1).permutation(len(values))
    # Small sets need more epochs for as many steps.
    epochs = max(EPOCHS, EPOCHS * 3_000 // len(values))
    rate = keras.optimizers.schedules.CosineDecay(RATE, epochs * len(values) // BATCH)
    network.compile(keras.optimizers.Adam(rate), losses[loss])
    network.fit(values[order], samples.labels[order], batch_size=BATCH, epochs=epochs, verbose=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    network.save(path)
    return network


def base_network(folder: Path) -> list[NDArray[np.float32]]:
    """Return the weights of a network that many kinds express: pixels / 255, two convolutions, a dense layer.

    Each 3x3 convolution is VALID, with ReLU and 2x2 max pooling; the weights are [3, 3, 1, 8], [8], [3, 3, 8, 16],
    [16], [400, 10] and [10].
    """
    weights: list[NDArray[np.float32]] = trained(folder / "base.keras", base_layers, fitting()).get_weights()
    return weights


def base_layers(end: str | None = "softmax", shape: tuple[int | None, ...] = (None, 28, 28, 1)) -> Any:
    """Return the network of base_network, untrained."""
    import keras

    return keras.Sequential([
        keras.Input(batch_shape=shape),
        *([] if len(shape) == 4 else [keras.layers.Reshape((28, 28, 1))]),
        keras.layers.Conv2D(8, 3, activation="relu"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Conv2D(16, 3, activation="relu"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Flatten(),
        keras.layers.Dense(10, activation=end),
    ])  # fmt: skip


def refed(weights: list[NDArray[np.float32]], scale: float, offset: float) -> list[NDArray[np.float32]]:
    """Return the weights of the same network for another input x, where pixel / 255 = x * scale + offset."""
    kernel, bias, *others = weights
    moved = bias + kernel.sum(axis=(0, 1, 2)) * np.float32(offset)
    return [kernel * np.float32(scale), moved.astype(np.float32), *others]


INPUTS: dict[str, tuple[float, float]] = {
    "unit": (1, 0),
    "raw": (1 / 255, 0),
    "-1..1": (0.5, 0.5),
    "mean and deviation": (0.3081, 0.1307),
    "inverted": (-1, 1),
}
"""Scale and offset of `refed` for each input."""
