"""Batches of one pass through a split, as Keras takes them."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edgedigits.data.dataset import Samples
from edgedigits_runtime.contract import Normalisation
from edgedigits_runtime.preprocessing import normalise


def shuffled(count: int, seed: tuple[int, int], multiple_of: int = 1) -> NDArray[np.int64]:
    """Return an order for `count` samples, fixed by the seed, so that a resumed training sees what it would have seen.

    Args:
        count: of samples.
        seed: of the training, and the epoch.
        multiple_of: what the length has to divide by; it is filled up with the order's first samples.
    """
    order = np.random.default_rng(seed).permutation(count)
    return np.concatenate([order, order[: -count % multiple_of]])


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras publishes no types
    """Each item is (float32 [B, H, W, C] normalised, targets as given by row)."""

    def __init__(
        self, samples: Samples, targets: NDArray[Any], *, order: NDArray[np.int64], batch_size: int,
        normalisation: Normalisation,
    ) -> None:  # fmt: skip
        """Take the samples and their targets, one row each.

        Args:
            samples: of a split.
            targets: one row for each sample.
            order: indices of the samples.
            batch_size: of all batches but the last.
            normalisation: of the pixels.
        """
        # With workers of its own, Keras leaves out tf.data's autotuning. TensorFlow 2.21 waits for that thread after
        # each pass, and it sleeps for 10, 20, 40 ms and so on: epochs of 42 s took 82 s.
        super().__init__(workers=2)
        self._samples = samples
        self._targets = targets
        self._order = order
        self._batch_size = batch_size
        self._normalisation = normalisation

    def __len__(self) -> int:
        return -(-len(self._order) // self._batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[Any]]:
        rows = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        return normalise(self._samples.images[rows], self._normalisation), self._targets[rows]
