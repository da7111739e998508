"""The classifier: a loaded model that users call on arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.contract import Contract
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.preprocessing import SMALLEST_PROBABILITY, Probabilities, as_batch, calibrated

LEAST_CONTRAST = 16
"""Difference of the darkest and the brightest pixel; digits of low contrast have 76 (benchmarks/robustness)."""

ROUGHEST = 17, 20
"""Mean squared difference of neighbouring pixels, as a fraction of that of any two. It is 1 for pixels that are
independent of each other, 0.88 or more for 28x28 of them. MNIST's training digits have up to 0.51, with added noise
0.83."""


class Classifier:
    """Classify images that are already framed.

    Attributes:
        engine: runs the model.
        contract: the model's contract.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.contract: Contract = engine.contract

    def __enter__(self) -> "Classifier":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.engine.close()

    def predict(self, images: NDArray[np.uint8]) -> Probabilities:
        """Return the model's uncalibrated probabilities, float32 [N, classes].

        Their sum is 1 minus the probability of a non-digit, if the model has that output.

        Args:
            images: uint8 [N, H, W] or [N, H, W, C], MNIST polarity: ink bright on dark.

        Raises:
            ArrayError: another dtype or shape, or no image.
        """
        return self.engine.run(images)

    def confidences(self, images: NDArray[Any]) -> Probabilities:
        """Return calibrated probabilities, float32 [N, classes]: the temperature is applied to all of the outputs.

        Where digits are read, the network does not see images that are blank or noise alone: all of their confidences
        are SMALLEST_PROBABILITY. For the arguments see `predict`.
        """
        batch = as_batch(images, self.contract.image_shape)
        blank = are_blank(batch) if self.contract.reader == "digits" else np.zeros(len(batch), bool)
        if not blank.any():
            return calibrated(self.engine.run_all(batch), self.contract)
        found = np.full((len(batch), len(self.contract.labels)), SMALLEST_PROBABILITY, np.float32)
        if not blank.all():
            found[~blank] = calibrated(self.engine.run_all(batch[~blank]), self.contract)
        return found


def are_blank(images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return for each image, uint8 [N, H, W, C], whether it is without contrast or noise alone, which needs no network.

    In integers, exactly as in C (microcontroller/writing/frame/blank.c) and in the page (reader/blank.js).
    """
    count, height, width, channels = images.shape
    size = height * width * channels
    pairs = channels * (height * (width - 1) + (height - 1) * width)
    # float64 holds all sums exactly, and they are four times faster than those of integers.
    pixels = images.astype(np.float64)
    flat = pixels.reshape(count, size)
    rough = _squares(pixels[:, 1:] - pixels[:, :-1]) + _squares(pixels[:, :, 1:] - pixels[:, :, :-1])
    total = np.add.reduce(flat, 1).astype(np.int64)
    spread = _squares(flat) - total * total // size
    share, of = ROUGHEST
    levels = images.reshape(count, size)
    contrast = np.maximum.reduce(levels, 1) - np.minimum.reduce(levels, 1)
    blank: NDArray[np.bool_] = (of * rough * size >= share * 2 * pairs * spread) | (contrast < LEAST_CONTRAST)
    return blank


def _squares(values: NDArray[np.float64]) -> NDArray[np.int64]:
    flat = values.reshape(len(values), -1)
    sums: NDArray[np.float64] = np.einsum("ij,ij->i", flat, flat)
    return sums.astype(np.int64)
