"""A share of successes with its 95% interval."""

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
