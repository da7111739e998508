"""Which samples a report shows."""

import numpy as np
from numpy.typing import NDArray

SEED = 0


def one_of_each_and_more(labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return indices of `count` samples at most, int64: a seeded choice, the classes as even as can be, in their order.

    Args:
        labels: int64 [N].
        count: with more classes than this, some are left out.
    """
    order = np.random.default_rng(SEED).permutation(len(labels))
    rank = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        of_class = order[labels[order] == label]
        rank[of_class] = np.arange(len(of_class))
    chosen = order[np.argsort(rank[order], kind="stable")][:count]
    return chosen[np.argsort(labels[chosen], kind="stable")]


def at_random(available: int, count: int) -> NDArray[np.int64]:
    """Return `count` indices below `available` at most, int64, seeded and ascending."""
    chosen = np.random.default_rng(SEED).choice(available, min(count, available), replace=False)
    return np.sort(chosen).astype(np.int64)
