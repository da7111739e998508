"""Calls that are timed one by one, with garbage collection off.

Nothing is drawn, written or summed while a call is timed. Times go into the caller's array at once, so that a failing
call loses none of those before it.
"""

import gc
import statistics
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgedigits_runtime.errors import ClockError, MeasurementError

Clock = Callable[[], int]  # Returns nanoseconds since any fixed moment.

Call = Callable[[int], Any]
"""The measured call. It receives its number, from 0, and uses picture number modulo the count of pictures."""

CLOCK_READS = 10_000

GARBAGE_COLLECTION = "collected before each series, off while it is measured"

WINDOW_SECONDS = 0.1
WINDOWS = 3
STABLE = 1.02
RULE = (
    f"windows of at least {WINDOW_SECONDS:g} s and of every picture equally often, until the medians of {WINDOWS} in a"
    f" row lie within {STABLE - 1:.0%}"
)


@dataclass(frozen=True)
class ClockFacts:
    """Properties of the clock; neither is subtracted from any figure."""

    name: str
    resolution_ns: int  # The smallest step that was seen.
    overhead_ns: float  # The median difference of two reads in a row.


@dataclass(frozen=True)
class Effort:
    """Length of a measurement."""

    iterations: int = 100  # iterations, seconds: at least; the current round of pictures is then finished.
    seconds: float = 10.0
    warmup_seconds: float = 5.0  # At most.

    def __post_init__(self) -> None:
        if self.iterations < 1 or self.seconds < 0 or self.warmup_seconds < 0:
            raise MeasurementError(
                f"expected at least 1 iteration and no negative time; got {self.iterations} iterations,"
                f" {self.seconds:g} s and {self.warmup_seconds:g} s of warm-up"
            )


@dataclass(frozen=True)
class WarmUp:
    """A warm-up: the rule that ends it, its uncounted calls, their time, and whether the rule was met in time."""

    rule: str
    iterations: int
    seconds: float
    stable: bool


def examine_clock(now: Clock = time.perf_counter_ns) -> ClockFacts:
    """Read the clock many times in a row. Raises ClockError if it steps backwards or never changes."""
    seen = np.empty(CLOCK_READS + 1, np.int64)
    for k in range(CLOCK_READS + 1):
        seen[k] = now()
    steps = np.diff(seen)
    check_forward(int(steps.min()))
    if not steps.any():
        raise ClockError(f"the clock did not change over {CLOCK_READS:,} reads; this machine cannot be measured")
    name = time.get_clock_info("perf_counter").implementation
    return ClockFacts(name, int(steps[steps > 0].min()), float(np.median(steps)))


def check_forward(step: int) -> None:
    """Raise ClockError if a step in nanoseconds is negative."""
    if step < 0:
        raise ClockError(
            f"the clock stepped backwards by {-step:,} ns, so its times are wrong; this happens when a virtual machine"
            " is moved or paused: measure again, or on the host itself"
        )


def nanoseconds() -> "array[int]":
    """Return an empty series of 64-bit numbers."""
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
    """Time calls one by one, each of `pictures` pictures equally often. Raises ClockError.

    Args:
        into: receives the nanoseconds of each call as it ends.
        keep: receives what each call returned, after its time was taken.
    """
    with garbage_collection_off():
        count, last = 0, now()
        end = last + round(effort.seconds * 1e9)
        while count < effort.iterations or last < end or count % pictures:
            start = now()
            answer = call(count)
            stop = now()
            # One check for both: the call's own time, and the time since the last one.
            check_forward(min(stop - start, start - last))
            into.append(stop - start)
            if keep is not None:
                keep(answer)
            count, last = count + 1, stop


def warm_up(call: Call, pictures: int, effort: Effort, now: Clock = time.perf_counter_ns) -> WarmUp:
    """Call until RULE is met or its time is over."""
    window, begun = Effort(pictures, WINDOW_SECONDS), now()
    medians: list[float] = []
    iterations, stable = 0, False
    while not stable and now() - begun < effort.warmup_seconds * 1e9:
        taken = nanoseconds()
        measure(call, pictures, window, taken, now=now)
        iterations += len(taken)
        medians = [*medians, statistics.median(taken)][-WINDOWS:]
        stable = len(medians) == WINDOWS and max(medians) <= STABLE * min(medians)
    return WarmUp(f"{RULE}, at most {effort.warmup_seconds:g} s", iterations, (now() - begun) / 1e9, stable)


@contextmanager
def garbage_collection_off() -> Iterator[None]:
    """Collect garbage, then turn collection off, so that none falls into a timed call."""
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
