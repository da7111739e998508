"""Steady latency: how long each stage of a reading takes, and all of it, once everything is warm."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits.benchmarking.measuring.sampling import nanoseconds
from edgedigits.benchmarking.measuring.statistics import Summary, Values, summarise
from edgedigits_runtime.timing import STAGES

TOTAL = "total"


class StageTimes:
    """The times of each call so far; whole also while measuring goes on, or after it failed.

    Attributes:
        total: nanoseconds of each call, from outside.
    """

    def __init__(self) -> None:
        self.total = nanoseconds()
        self._stages: dict[str, list[float]] = {stage: [] for stage in STAGES}

    def keep(self, answer: Any) -> None:
        """Take what a reading says of its stages, in milliseconds; an answer of the engine alone says nothing."""
        if isinstance(answer, dict):
            for stage, times in self._stages.items():
                times.append(answer[stage])

    def summaries(self) -> dict[str, Summary]:
        """Return the summary of each stage in milliseconds, "total" last; nothing where no call was measured.

        The total is measured around the whole call, so that it also holds what lies between the stages. Where only the
        engine was called, its stage and the total are the same.
        """
        if not len(self.total):
            return {}
        total = summarise(milliseconds(np.array(self.total)))
        if not self._stages["invoke"]:
            return {"invoke": total, TOTAL: total}
        # To whole nanoseconds, which is what the clock says.
        stages = {stage: summarise(np.round(times, 6)) for stage, times in self._stages.items()}
        return {**stages, TOTAL: total}


def milliseconds(taken: NDArray[np.int64]) -> Values:
    """Return nanoseconds as milliseconds, each the float nearest to it."""
    return np.round(taken / 1e6, 6)
