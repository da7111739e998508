"""An engine that takes as long as it is told, so that what measures engines can itself be measured."""

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.contract import Contract
from edgedigits_runtime.engines.engine import Engine


class SyntheticEngine(Engine):
    """Answers every image with the same probabilities, after delays that are given.

    Attributes:
        calls: how many were answered.
    """

    name = "synthetic"

    def __init__(self, contract: Contract, delays: NDArray[np.int64], *, dies_after: int | None = None) -> None:
        """Take the delays in nanoseconds, which are gone through again and again; and after how many calls it fails."""
        super().__init__(contract, "cpu", ("synthetic",))
        self.calls = 0
        self._delays: list[int] = delays.tolist()
        self._dies_after = dies_after

    def _invoke(self, tensor: NDArray[Any]) -> NDArray[Any]:
        end = time.perf_counter_ns() + self._delays[self.calls % len(self._delays)]
        if self.calls == self._dies_after:
            raise RuntimeError("the synthetic engine was told to fail")
        self.calls += 1
        answer = np.zeros((len(tensor), len(self.contract.labels)), self.contract.output.dtype)
        # Not sleep: the system wakes a process when it likes.
        while time.perf_counter_ns() < end:
            pass
        return answer


def lognormal_delays(median: float, spread: float, count: int = 1000, seed: int = 0) -> NDArray[np.int64]:
    """Return delays in nanoseconds whose percentiles are those of a lognormal distribution, in a shuffled order.

    Each is the distribution's quantile in the middle of its share, so that going through all of them once leaves
    nothing to chance.

    Args:
        median: in milliseconds.
        spread: standard deviation of the logarithm.
        count: how many.
        seed: of the order.
    """
    from statistics import NormalDist

    points = [NormalDist().inv_cdf((k + 0.5) / count) for k in range(count)]
    delays = np.round(median * 1e6 * np.exp(spread * np.array(points))).astype(np.int64)
    return np.random.default_rng(seed).permutation(delays)
