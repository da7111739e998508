"""A stopwatch for the stages of a reading, and medians of interleaved calls."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

STAGES = ("decode", "ink", "locate", "frame", "invoke", "reject")
WITH_FINDER = ("decode", "find", "frame", "classify", "judge")
"""Stages of a reading with a finder."""


class Stopwatch:
    """Milliseconds by stage, of `names`, on the monotonic clock; repeated stages add up."""

    def __init__(self, names: Sequence[str] = STAGES) -> None:
        self._start = time.perf_counter_ns()
        self.names = names
        self._stages = dict.fromkeys(names, 0.0)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter_ns()
        yield
        self._stages[name] += (time.perf_counter_ns() - start) / 1e6

    def milliseconds(self) -> dict[str, float]:
        """Return each stage's time, and under "total" the time since the stopwatch was made."""
        return {**self._stages, "total": (time.perf_counter_ns() - self._start) / 1e6}


BLOCK = 20
"""Calls of one kind in a row: after another engine's call the caches are cold, which users of one engine do not see."""


def interleaved(
    calls: Mapping[str, Callable[[], object]], rounds: int = 20, clock: Callable[[], int] = time.perf_counter_ns
) -> dict[str, float]:
    """Return the median milliseconds of each named call, interleaved so that a busy moment slows all of them.

    Each round runs BLOCK calls of each kind, in a new random order; the first round is a warm-up. The clock returns
    nanoseconds; time.process_time_ns measures CPU time.
    """
    # Slow imports that a reading does not need.
    import statistics
    from random import Random

    order, random = list(calls), Random(0)
    times: dict[str, list[int]] = {name: [] for name in calls}
    for _ in range(1 + rounds):
        random.shuffle(order)
        for name in order:
            times[name] += _timed(calls[name], clock)
    return {name: statistics.median(taken[BLOCK:]) / 1e6 for name, taken in times.items()}


def _timed(call: Callable[[], object], clock: Callable[[], int]) -> list[int]:
    taken = []
    for _ in range(BLOCK):
        start = clock()
        call()
        taken.append(clock() - start)
    return taken
