"""Steady latency: the time of each stage of a reading and of the whole reading, once everything is warm."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits.benchmarking.measuring.latency_summary import Summary, Values, summarise
from edgedigits.benchmarking.measuring.sampling import nanoseconds
from edgedigits_runtime.timing import STAGES

TOTAL = "total"


class StageTimes:
    """The times of each call so far, valid also during measuring or after a failure.

    Attributes:
        total: nanoseconds of each whole call.
    """

    def __init__(self) -> None:
        self.total = nanoseconds()
        self._stages: dict[str, list[float]] = {stage: [] for stage in STAGES}

    def keep(self, answer: Any) -> None:
        """Take the milliseconds that a reading reports for its stages; an engine's answer has none."""
        if isinstance(answer, dict):
            for stage, times in self._stages.items():
                times.append(answer[stage])

    def summaries(self) -> dict[str, Summary]:
        """Return each stage's summary in milliseconds, "total" last; empty before the first call.

        The total is timed around the whole call, so it includes the time between stages. For the engine alone, "invoke"
        and "total" are the same.
        """
        if not len(self.total):
            return {}
        total = summarise(milliseconds(np.array(self.total)))
        if not self._stages["invoke"]:
            return {"invoke": total, TOTAL: total}
        # To whole nanoseconds, the clock's unit.
        stages = {stage: summarise(np.round(times, 6)) for stage, times in self._stages.items()}
        return {**stages, TOTAL: total}


def milliseconds(taken: NDArray[np.int64]) -> Values:
    """Convert nanoseconds to milliseconds, each the nearest float."""
    return np.round(taken / 1e6, 6)
