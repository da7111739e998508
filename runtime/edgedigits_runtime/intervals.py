"""A share of successes with its 95% interval, and the test whether two shares on the same images differ."""

import math
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
