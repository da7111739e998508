"""Calibration images: what the quantizer measures the ranges of activations on."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.contract import DataUsed
from edgedigits_runtime.errors import ExportError
from edgedigits_runtime.preprocessing import Images

COUNT = 500


@dataclass(frozen=True)
class Calibration:
    """Images uint8 [N, H, W, C], and where they came from."""

    images: Images
    used: DataUsed


def choose_balanced(images: Images, labels: NDArray[np.int64], name: str, count: int = COUNT) -> Calibration:
    """Choose about `count` images, the same number of each class, always the same ones.

    Args:
        images: uint8 [N, H, W, C], of the training split: never of validation or test.
        labels: int64 [N].
        name: what the contract calls them, such as "mnist/train".

    Raises:
        ExportError: there is no image.
    """
    if len(images) == 0:
        raise ExportError(f"no calibration images in {name}")
    classes = np.unique(labels)
    each = max(1, count // len(classes))
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.permutation(np.flatnonzero(labels == c))[:each] for c in classes])
    chosen = np.ascontiguousarray(images[np.sort(rows)])
    fingerprint = "sha256:" + hashlib.sha256(chosen.tobytes()).hexdigest()
    return Calibration(chosen, DataUsed(name, len(chosen), fingerprint))
