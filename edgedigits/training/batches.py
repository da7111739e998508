"""Batches of one epoch for Keras."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edgedigits.data.dataset import Samples
from edgedigits_runtime.contract import Normalisation
from edgedigits_runtime.preprocessing import normalise


def shuffled(count: int, seed: tuple[int, int], multiple_of: int = 1) -> NDArray[np.int64]:
    """Return a shuffled order that depends only on the seed, so that a resumed training sees the same batches.

    `seed` is the training's seed and the epoch. The length is padded to `multiple_of` with the order's first samples.
    """
    order = np.random.default_rng(seed).permutation(count)
    return np.concatenate([order, order[: -count % multiple_of]])


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras publishes no types
    """Batches of one epoch: (normalised float32 [B, H, W, C], targets), in the given order of samples."""

    def __init__(
        self, samples: Samples, targets: NDArray[Any], *, order: NDArray[np.int64], batch_size: int,
        normalisation: Normalisation,
    ) -> None:  # fmt: skip
        # With workers, Keras skips tf.data's autotuning. TensorFlow 2.21 waits for the autotuning thread after each
        # epoch, which sleeps for 10, 20, 40 ms and so on: epochs of 42 s took 82 s.
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
