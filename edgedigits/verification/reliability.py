"""Reliability: the accuracy of answers grouped by confidence, and the expected calibration error.

Guo et al. 2017, "On Calibration of Modern Neural Networks" (arXiv:1706.04599), section 2.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.preprocessing import Probabilities

BINS = 15


@dataclass(frozen=True, eq=False)
class Reliability:
    """Answers grouped by confidence into bins of equal width over 0..1.

    Attributes:
        counts: answers in each bin, int64 [bins].
        accuracy: share of right answers in each bin, float64 [bins]; 0 in an empty bin.
        confidence: their mean confidence, float64 [bins]; 0 in an empty bin.
    """

    counts: NDArray[np.int64]
    accuracy: NDArray[np.float64]
    confidence: NDArray[np.float64]

    @property
    def expected_error(self) -> float:
        """Expected calibration error, 0..1: the mean difference of accuracy and confidence, weighted by counts."""
        gaps = np.abs(self.accuracy - self.confidence)
        return float((self.counts * gaps).sum() / self.counts.sum())


def group_by_confidence(probabilities: Probabilities, labels: NDArray[np.int64], bins: int = BINS) -> Reliability:
    """Group float32 [N, classes] by confidence, the highest probability; bin m of M is ((m - 1) / M, m / M]."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    bin_of = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(bin_of, minlength=bins)

    def mean(values: NDArray[Any]) -> NDArray[np.float64]:
        sums = np.bincount(bin_of, weights=values, minlength=bins)
        return sums / np.maximum(counts, 1)

    return Reliability(counts, mean(right), mean(confidence))
