"""Random inputs in the range that a network expects, on which two versions of it are compared."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

COUNT = 200

FREE_SIZE = 32
"""In place of a size that the network leaves open."""

PIXELS = 1 / 32
"""A network that multiplies its input by less than this takes pixels of 0 to 255."""

Description = tuple[str, dict[str, Any], list[NDArray[Any]]]
"""Class, arguments and weights of a layer of Keras 3."""


def input_range(layers: Iterable[Description]) -> tuple[float, float]:
    """Return the range of the input that the first layers state; 0 to 1 if they state none."""
    for name, config, weights in layers:
        if name == "Rescaling" and 0 < np.abs(config["scale"]).min() < PIXELS:
            return 0.0, 255.0
        if name == "Normalization":
            stated = [config.get("mean"), config.get("variance")]
            mean, variance = (np.asarray(part) for part in (weights if stated[0] is None else stated)[:2])
            spread = 2 * np.sqrt(variance)
            return float((mean - spread).min()), float((mean + spread).max())
        if weights:
            break
    return 0.0, 1.0


def random_inputs(batch_shape: list[int | None], dtype: str, bounds: tuple[float, float]) -> NDArray[Any]:
    """Return at least COUNT inputs of a shape whose first size is that of a batch, a multiple of which they are."""
    batch, *sizes = batch_shape
    shape = (-(-COUNT // (batch or 1)) * (batch or 1), *(size or FREE_SIZE for size in sizes))
    rng = np.random.default_rng(0)
    if np.issubdtype(np.dtype(dtype), np.integer):
        return rng.integers(0, 256 if np.dtype(dtype).itemsize == 1 else 2, shape).astype(dtype)
    return rng.uniform(*bounds, shape).astype(dtype)
