"""A stopwatch for the stages of a reading, and medians of calls measured in turn."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

STAGES = ("decode", "ink", "locate", "frame", "invoke", "reject")


class Stopwatch:
    """Milliseconds by stage, on the monotonic clock; a stage measured twice adds up."""

    def __init__(self) -> None:
        self._start = time.perf_counter_ns()
        self._stages = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter_ns()
        yield
        self._stages[name] += (time.perf_counter_ns() - start) / 1e6

    def milliseconds(self) -> dict[str, float]:
        """Return each stage's time, and under "total" the time since the stopwatch was made."""
        return {**self._stages, "total": (time.perf_counter_ns() - self._start) / 1e6}


def interleaved(calls: Mapping[str, Callable[[], object]], rounds: int = 200, warm_up: int = 20) -> dict[str, float]:
    """Return the median milliseconds of each call, measured in turn so that a busy moment slows all alike.

    Args:
        calls: what to measure, by name.
        rounds: how often each is measured.
        warm_up: rounds that are run first and not counted.
    """
    times: dict[str, list[int]] = {name: [] for name in calls}
    for _ in range(warm_up + rounds):
        for name, call in calls.items():
            start = time.perf_counter_ns()
            call()
            times[name].append(time.perf_counter_ns() - start)
    return {name: statistics.median(taken[warm_up:]) / 1e6 for name, taken in times.items()}
