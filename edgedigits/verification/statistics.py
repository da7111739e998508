"""The statistics of a comparison between two classifiers on the same images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.preprocessing import Probabilities

Z95 = 1.959963984540054
"""The standard normal distribution's 97.5% point."""


@dataclass(frozen=True)
class Share:
    """A share of successes with its 95% interval, all as fractions."""

    value: float
    low: float
    high: float


def wilson(successes: int, trials: int) -> Share:
    """Return a share with its Wilson score interval (Wilson 1927), which holds for shares close to 1.

    Args:
        successes: 0..trials.
        trials: at least 1.
    """
    share = successes / trials
    centre = (share + Z95**2 / (2 * trials)) / (1 + Z95**2 / trials)
    half = Z95 / (1 + Z95**2 / trials) * np.sqrt(share * (1 - share) / trials + Z95**2 / (4 * trials**2))
    # The ends are 0 and 1 by algebra where all or none succeeded; rounding would miss them.
    low = 0.0 if successes == 0 else float(centre - half)
    high = 1.0 if successes == trials else float(centre + half)
    return Share(share, low, high)


def mcnemar(only_first_right: int, only_second_right: int) -> float:
    """Return the exact two-sided p-value of McNemar's test (McNemar 1947): the chance of such an imbalance or a
    larger one if both classifiers are equally good.

    Args:
        only_first_right: images that only the first classifier reads right.
        only_second_right: images that only the second one does.
    """
    from scipy.stats import binomtest

    discordant = only_first_right + only_second_right
    if discordant == 0:
        return 1.0
    return float(binomtest(only_first_right, discordant, 0.5).pvalue)


def cosine(first: Probabilities, second: Probabilities) -> NDArray[np.float64]:
    """Return the cosine similarity of each pair of rows, float64 [N], of two [N, classes]."""
    a, b = first.astype(np.float64), second.astype(np.float64)
    similarity: NDArray[np.float64] = (a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
    return similarity


def margins(probabilities: Probabilities) -> NDArray[np.float32]:
    """Return how far the highest probability of each row lies above the second, float32 [N]."""
    highest = np.sort(probabilities, axis=1)[:, -2:]
    margin: NDArray[np.float32] = highest[:, 1] - highest[:, 0]
    return margin
