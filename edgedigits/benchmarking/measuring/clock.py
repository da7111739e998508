"""The clock that everything is measured by: what it can tell apart, what looking at it costs, and that it moves on."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.errors import ClockError

Clock = Callable[[], int]
"""Returns nanoseconds since some moment."""

LOOKS = 10_000


@dataclass(frozen=True)
class ClockFacts:
    """What a clock is worth. Neither figure is subtracted from anything.

    Attributes:
        name: what the system calls it.
        resolution_ns: the smallest step that it was seen to take.
        overhead_ns: the median of what it says of nothing at all, between two looks in a row.
    """

    name: str
    resolution_ns: int
    overhead_ns: float


def examine_clock(now: Clock = time.perf_counter_ns) -> ClockFacts:
    """Look at a clock many times in a row.

    Raises:
        ClockError: it steps backwards, or stands still.
    """
    steps = np.diff(_looks(now))
    check_forward(int(steps.min()))
    if not steps.any():
        raise ClockError(f"the clock stood still over {LOOKS:,} looks at it; nothing can be measured on this machine")
    name = time.get_clock_info("perf_counter").implementation
    return ClockFacts(name, int(steps[steps > 0].min()), float(np.median(steps)))


def check_forward(step: int) -> None:
    """Refuse a time below 0.

    Raises:
        ClockError: `step` nanoseconds are below 0.
    """
    if step < 0:
        raise ClockError(
            f"the clock stepped backwards by {-step:,} ns, so nothing measured by it means anything; a virtual machine"
            " that was moved or paused does so: measure again, or on the machine itself"
        )


def _looks(now: Clock) -> NDArray[np.int64]:
    seen = np.empty(LOOKS + 1, np.int64)
    for k in range(LOOKS + 1):
        seen[k] = now()
    return seen
