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
        found = np.full((len(batch), len(self.contract.labels)), SMALLEST_PROBABILITY, np.float32)
        if not blank.all():
            found[~blank] = calibrated(self.engine.run_all(batch[~blank] if blank.any() else batch), self.contract)
        return found


def are_blank(images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return for each image, uint8 [N, H, W, C], whether it is without contrast or noise alone, which needs no network.

    In integers, exactly as in C (microcontroller/writing/frame/blank.c) and in the page (reader/blank.js).
    """
    count, height, width, channels = images.shape
    size = height * width * channels
    pixels = images.reshape(count, size).astype(np.int64)
    pairs = channels * (height * (width - 1) + (height - 1) * width)
    signed = images.astype(np.int32)
    steps = (np.diff(signed, axis=axis) for axis in (1, 2))
    rough = sum(np.square(step).sum(axis=(1, 2, 3), dtype=np.int64) for step in steps)
    spread = np.square(pixels).sum(axis=1) - np.square(pixels.sum(axis=1)) // size
    share, of = ROUGHEST
    noise = of * rough * size >= share * 2 * pairs * spread
    blank: NDArray[np.bool_] = noise | (np.ptp(pixels, axis=1) < LEAST_CONTRAST)
    return blank
