"""The clock is examined before it is used."""

from collections.abc import Callable, Iterator
from itertools import count, repeat

import pytest

from edgedigits.benchmarking.measuring.sampling import examine_clock
from edgedigits_runtime.errors import ClockError


def clock_of(times: Iterator[int]) -> Callable[[], int]:
    return lambda: next(times)


def test_the_system_clock_is_usable() -> None:
    found = examine_clock()
    assert found.name
    assert found.resolution_ns >= 1
    assert 0 <= found.overhead_ns < 1e6


def test_resolution_is_the_smallest_step_and_overhead_the_median_of_all() -> None:
    # Constant for three reads, then 100 later.
    found = examine_clock(clock_of(k // 3 * 100 for k in count()))
    assert (found.resolution_ns, found.overhead_ns) == (100, 0)
    found = examine_clock(clock_of(iter(range(0, 10**9, 70))))
    assert (found.resolution_ns, found.overhead_ns) == (70, 70)


def test_a_clock_that_steps_backwards_is_an_error() -> None:
    times = (k if k != 5_000 else 100 for k in count())
    with pytest.raises(ClockError, match="4,899 ns"):
        examine_clock(clock_of(times))


def test_a_constant_clock_is_an_error() -> None:
    with pytest.raises(ClockError, match="10,000"):
        examine_clock(clock_of(repeat(7)))
