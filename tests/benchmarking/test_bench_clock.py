"""The clock is looked at before it is believed."""

from collections.abc import Callable, Iterator
from itertools import count, repeat

import pytest

from edgedigits.benchmarking.measuring.clock import examine_clock
from edgedigits_runtime.errors import ClockError


def clock_of(times: Iterator[int]) -> Callable[[], int]:
    return lambda: next(times)


def test_the_systems_own_clock() -> None:
    found = examine_clock()
    assert found.name
    assert found.resolution_ns >= 1
    assert 0 <= found.overhead_ns < 1e6


def test_resolution_is_the_smallest_step_and_overhead_the_median_of_all() -> None:
    # Stands still twice, then moves by 100.
    found = examine_clock(clock_of(k // 3 * 100 for k in count()))
    assert (found.resolution_ns, found.overhead_ns) == (100, 0)
    found = examine_clock(clock_of(iter(range(0, 10**9, 70))))
    assert (found.resolution_ns, found.overhead_ns) == (70, 70)


def test_one_that_steps_backwards_is_refused() -> None:
    times = (k if k != 5_000 else 100 for k in count())
    with pytest.raises(ClockError, match=r"stepped backwards by 4,899 ns.*measure again"):
        examine_clock(clock_of(times))


def test_one_that_stands_still_is_refused() -> None:
    with pytest.raises(ClockError, match="stood still over 10,000 looks"):
        examine_clock(clock_of(repeat(7)))
