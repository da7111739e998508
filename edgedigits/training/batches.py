"""Batches for one epoch: shuffled by seed and epoch, so that a resumed training sees what it would have seen."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edgedigits.data.dataset import Samples
from edgedigits_runtime.contract import Normalisation
from edgedigits_runtime.preprocessing import normalise


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras publishes no types
    """The training split as Keras takes it, one pass.

    Each item is (float32 [B, H, W, C] normalised, targets as given by row).
    """

    def __init__(
        self, samples: Samples, targets: NDArray[Any], *, batch_size: int, seed: tuple[int, int],
        normalisation: Normalisation, multiple_of: int = 1,
    ) -> None:  # fmt: skip
        """Take the samples and their targets, one row each.

        Args:
            samples: of the training split.
            targets: one row for each sample.
            batch_size: of all batches but the last.
            seed: of the order.
            normalisation: of the pixels.
            multiple_of: what the last batch's length has to divide by; it is filled up with the first samples.
        """
        super().__init__()
        self._samples = samples
        self._targets = targets
        self._batch_size = batch_size
        self._normalisation = normalisation
        order = np.random.default_rng(seed).permutation(len(samples))
        self._order = np.concatenate([order, order[: -len(order) % multiple_of]])

    def __len__(self) -> int:
        return -(-len(self._order) // self._batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[Any]]:
        rows = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        return normalise(self._samples.images[rows], self._normalisation), self._targets[rows]
