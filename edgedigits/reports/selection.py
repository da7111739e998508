"""Choose the samples that a report shows."""

import numpy as np
from numpy.typing import NDArray

SEED = 0


def one_of_each_and_more(labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return int64 indices of at most `count` samples: a seeded, class-balanced choice, sorted by class.

    Args:
        labels: int64 [N].
        count: if there are more classes, some are left out.
    """
    order = np.random.default_rng(SEED).permutation(len(labels))
    rank = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        of_class = order[labels[order] == label]
        rank[of_class] = np.arange(len(of_class))
    chosen = order[np.argsort(rank[order], kind="stable")][:count]
    return chosen[np.argsort(labels[chosen], kind="stable")]


def at_random(available: int, count: int) -> NDArray[np.int64]:
    """Return at most `count` int64 indices below `available`: a seeded choice, ascending."""
    chosen = np.random.default_rng(SEED).choice(available, min(count, available), replace=False)
    return np.sort(chosen).astype(np.int64)
