"""A share of successes and a difference of two, with their 95% intervals, and the test whether two shares differ."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Z95 = 1.959963984540054
"""The 97.5% point of the standard normal distribution."""


@dataclass(frozen=True)
class Share:
    """A share of successes with its 95% interval, all as fractions."""

    value: float
    low: float
    high: float


def wilson(successes: int, trials: int) -> Share:
    """Return a share with its Wilson score interval (Wilson 1927), which is accurate for shares close to 1."""
    share = successes / trials
    centre = (share + Z95**2 / (2 * trials)) / (1 + Z95**2 / trials)
    half = Z95 / (1 + Z95**2 / trials) * np.sqrt(share * (1 - share) / trials + Z95**2 / (4 * trials**2))
    # The ends are exactly 0 and 1 if none or all succeeded; rounding would change them.
    low = 0.0 if successes == 0 else float(centre - half)
    high = 1.0 if successes == trials else float(centre + half)
    return Share(share, low, high)


def mcnemar(only_first_right: int, only_second_right: int) -> float:
    """Return the exact two-sided p-value of McNemar's test (McNemar 1947) from the images that only one reads right."""
    count, fewer = only_first_right + only_second_right, min(only_first_right, only_second_right)
    # By logarithms, since the coefficients of thousands of images exceed a float.
    whole = math.lgamma(count + 1) - count * math.log(2)
    terms = (whole - math.lgamma(k + 1) - math.lgamma(count - k + 1) for k in range(fewer + 1))
    return min(1.0, 2 * math.fsum(math.exp(term) for term in terms))


def accuracy_drop(only_first_right: int, only_second_right: int, images: int) -> Share:
    """Return how much less accurate the second of two models is on the same images, with its score interval.

    Tango 1998, "Equivalence test and confidence interval for the difference in proportions for the paired-sample
    design"; at a difference of 0 it is McNemar's test.
    """
    lost, won = only_first_right, only_second_right
    value = (lost - won) / images

    def score(drop: float) -> float:
        """Return the distance from a true drop in standard deviations; it falls as the drop grows."""
        linear = (2 * images - lost + won) * drop - lost - won
        likely = (math.sqrt(linear**2 + 8 * images * won * drop * (1 - drop)) - linear) / (4 * images)
        variance = images * (2 * likely + drop * (1 - drop))
        return (lost - won - images * drop) / math.sqrt(variance) if variance > 0 else 0.0

    return Share(value, _where(score, Z95, -1.0, value), _where(score, -Z95, value, 1.0))


def _where(falling: Callable[[float], float], target: float, low: float, high: float) -> float:
    """Return by bisection where a function falls below a target."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > target else (low, middle)
    return high
