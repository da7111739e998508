"""Batches for one epoch: shuffled by seed and epoch, so that a resumed training sees what it would have seen."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edgedigits.data.dataset import Samples
from edgedigits.training.augmentation import deform
from edgedigits_runtime.contract import Normalisation
from edgedigits_runtime.preprocessing import normalise


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras publishes no types
    """The training split as Keras takes it, one pass.

    Each item is (float32 [B, H, W, C] normalised, targets as given by row).
    """

    def __init__(
        self, samples: Samples, targets: NDArray[Any], *, batch_size: int, seed: tuple[int, int],
        normalisation: Normalisation, augment: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        self._samples = samples
        self._targets = targets
        self._batch_size = batch_size
        self._seed = seed
        self._normalisation = normalisation
        self._augment = augment
        self._order = np.random.default_rng(seed).permutation(len(samples))

    def __len__(self) -> int:
        return -(-len(self._samples) // self._batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[Any]]:
        rows = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        images = self._samples.images[rows]
        if self._augment:
            images = deform(images, np.random.default_rng((*self._seed, index)))
        return normalise(images, self._normalisation), self._targets[rows]
