"""Calls are timed one by one, for the requested count and time, and kept after a failure."""

import gc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits.benchmarking.measuring.sampling import Effort, measure, nanoseconds, warm_up
from edgedigits_runtime.errors import ClockError, MeasurementError


class Work:
    """Calls of given durations on their own clock."""

    def __init__(self, cost: Callable[[int], int]) -> None:
        self.now = 1_000
        self.numbers: list[int] = []
        self._cost = cost

    def clock(self) -> int:
        return self.now

    def __call__(self, number: int) -> int:
        self.numbers.append(number)
        self.now += self._cost(len(self.numbers) - 1)
        return number


def milliseconds(cost: float) -> Work:
    return Work(lambda _: round(cost * 1e6))


@given(st.integers(1, 30), st.integers(1, 7), st.floats(0, 0.05), st.floats(0.1, 5))
def test_count_time_and_whole_rounds_of_pictures(iterations: int, pictures: int, seconds: float, cost: float) -> None:
    work, taken, kept = milliseconds(cost), nanoseconds(), list[int]()
    measure(work, pictures, Effort(iterations, seconds), taken, keep=kept.append, now=work.clock)
    assert len(taken) >= iterations
    assert sum(taken) >= seconds * 1e9 - 1
    assert len(taken) % pictures == 0
    assert kept == work.numbers == list(range(len(taken)))
    assert set(taken) == {round(cost * 1e6)}
    # One round less would not be enough.
    rest = len(taken) - pictures
    assert rest < iterations or rest * taken[0] < seconds * 1e9 + 1


def test_each_call_has_its_own_time() -> None:
    work, taken = Work(lambda number: 100 * (number + 1)), nanoseconds()
    measure(work, 1, Effort(4, 0), taken, now=work.clock)
    assert list(taken) == [100, 200, 300, 400]


def test_garbage_collection_is_off_and_restored() -> None:
    seen: list[bool] = []
    assert gc.isenabled()
    measure(lambda _: seen.append(gc.isenabled()), 1, Effort(3, 0), nanoseconds())
    assert seen == [False] * 3
    assert gc.isenabled()
    gc.disable()
    try:
        measure(lambda _: None, 1, Effort(1, 0), nanoseconds())
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_backward_step_in_a_call_is_an_error() -> None:
    work, taken = Work(lambda number: 100 if number < 5 else -40), nanoseconds()
    with pytest.raises(ClockError, match="40 ns"):
        measure(work, 1, Effort(10, 0), taken, now=work.clock)
    assert list(taken) == [100] * 5


def test_a_backward_step_between_calls_is_an_error() -> None:
    times = iter([0, 10, 20, 5, 30])
    with pytest.raises(ClockError, match="15 ns"):
        measure(lambda _: None, 1, Effort(10, 0), nanoseconds(), now=lambda: next(times))


def test_calls_before_a_failing_one_are_kept() -> None:
    taken = nanoseconds()

    def call(number: int) -> None:
        if number == 7:
            raise RuntimeError("died")

    with pytest.raises(RuntimeError, match="died"):
        measure(call, 1, Effort(10, 0), taken)
    assert len(taken) == 7
    assert gc.isenabled()


def test_warm_up_ends_after_three_equal_windows() -> None:
    # Ten calls of 10 ms are a window of 100 ms.
    work = Work(lambda number: 14_000_000 if number < 10 else 10_000_000)
    found = warm_up(work, 5, Effort(), work.clock)
    assert found.stable
    assert found.iterations == len(work.numbers) == 40


def test_warm_up_continues_while_times_fall() -> None:
    work = Work(lambda number: max(2_000_000, 10_000_000 - 40_000 * number))
    found = warm_up(work, 5, Effort(warmup_seconds=60), work.clock)
    assert found.stable
    assert 200 <= found.iterations <= 400


def test_an_unstable_warm_up_ends_after_its_time() -> None:
    work = Work(lambda number: 1_000_000 + 50_000 * number)
    found = warm_up(work, 5, Effort(warmup_seconds=2), work.clock)
    assert not found.stable
    assert 2 <= found.seconds < 4
    assert "2%, at most 2 s" in found.rule


@pytest.mark.parametrize("effort", [(0, 1.0, 1.0), (-1, 1.0, 1.0), (1, -0.1, 1.0), (1, 0.0, -1.0)])
def test_an_invalid_effort_is_an_error(effort: tuple[int, float, float]) -> None:
    with pytest.raises(MeasurementError):
        Effort(*effort)
