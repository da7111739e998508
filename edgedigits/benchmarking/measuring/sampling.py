"""Calls measured one by one: warm-up until stable, then at least so many and so long, nothing collected in between.

Nothing is drawn, written or counted up while a call is measured, and what was measured stands in the caller's array
at once: a call that fails loses none of those before it.
"""

import gc
import statistics
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from edgedigits.benchmarking.measuring.clock import Clock, check_forward
from edgedigits_runtime.errors import MeasurementError

GARBAGE_COLLECTION = "collected before each series, off while it is measured"

WINDOW_SECONDS = 0.1
WINDOWS = 3
STABLE = 1.02
RULE = (
    f"windows of at least {WINDOW_SECONDS:g} s and of every picture equally often, until the medians of {WINDOWS} in a"
    f" row lie within {STABLE - 1:.0%}"
)

Call = Callable[[int], Any]
"""What is measured; it is given the number of the call, from 0, and takes picture number modulo pictures."""


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Attributes:
        iterations: calls, at least.
        seconds: at least; the round of pictures that is begun by then is finished.
        warmup_seconds: at most.
    """

    iterations: int = 100
    seconds: float = 10.0
    warmup_seconds: float = 5.0

    def __post_init__(self) -> None:
        if self.iterations < 1 or self.seconds < 0 or self.warmup_seconds < 0:
            raise MeasurementError(
                f"measuring takes at least 1 iteration and no time below 0; got {self.iterations} iterations,"
                f" {self.seconds:g} s and {self.warmup_seconds:g} s of warm-up"
            )


@dataclass(frozen=True)
class WarmUp:
    """How the warm-up went.

    Attributes:
        rule: when it ends.
        iterations: calls that were not counted.
        seconds: that they took.
        stable: whether the rule was met in time.
    """

    rule: str
    iterations: int
    seconds: float
    stable: bool


def nanoseconds() -> "array[int]":
    """Return an empty series, 64 bits a call."""
    return array("q")


def measure(
    call: Call,
    pictures: int,
    effort: Effort,
    into: "array[int]",
    *,
    keep: Callable[[Any], None] | None = None,
    now: Clock = time.perf_counter_ns,
) -> None:
    """Time calls, each on its own, until all that `effort` asks for was done.

    Args:
        call: see Call.
        pictures: how many it goes round; each is measured equally often.
        effort: how long.
        into: takes the nanoseconds of each call as it ends.
        keep: is given what each call returned, after its time was taken.
        now: the clock.

    Raises:
        ClockError: the clock stepped backwards.
    """
    with garbage_left_alone():
        count, last = 0, now()
        end = last + round(effort.seconds * 1e9)
        while count < effort.iterations or last < end or count % pictures:
            start = now()
            answer = call(count)
            stop = now()
            # Both at once: a call's own time, and that since the last one.
            check_forward(min(stop - start, start - last))
            into.append(stop - start)
            if keep is not None:
                keep(answer)
            count, last = count + 1, stop


def warm_up(call: Call, pictures: int, effort: Effort, now: Clock = time.perf_counter_ns) -> WarmUp:
    """Make calls until RULE is met, or the time for it is over; arguments and errors as for `measure`."""
    rule = f"{RULE}, at most {effort.warmup_seconds:g} s"
    window = Effort(pictures, WINDOW_SECONDS)
    begun = now()
    medians: list[float] = []
    iterations = 0
    while now() - begun < effort.warmup_seconds * 1e9:
        taken = nanoseconds()
        measure(call, pictures, window, taken, now=now)
        iterations += len(taken)
        medians = [*medians, statistics.median(taken)][-WINDOWS:]
        if len(medians) == WINDOWS and max(medians) <= STABLE * min(medians):
            return WarmUp(rule, iterations, (now() - begun) / 1e9, True)
    return WarmUp(rule, iterations, (now() - begun) / 1e9, False)


@contextmanager
def garbage_left_alone() -> Iterator[None]:
    """Collect garbage, then leave it alone: a collection would fall into some call and look like its own time."""
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
