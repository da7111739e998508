"""The classifier: a loaded model that users call on arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.contract import Contract
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.preprocessing import SMALLEST_PROBABILITY, Probabilities, as_batch, calibrated
from edgedigits_runtime.reading.blank import are_blank


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
