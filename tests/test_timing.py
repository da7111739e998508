"""The stopwatch adds up, and calls that are compared take turns."""

import pytest

from edgedigits_runtime import timing
from edgedigits_runtime.timing import STAGES, Stopwatch, interleaved


class Clock:
    """A clock in nanoseconds that moves only when told."""

    def __init__(self) -> None:
        self.now = 0

    def perf_counter_ns(self) -> int:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timing, "time", clock)
    return clock


def test_every_stage_is_listed_and_the_total_holds_what_is_between(clock: Clock) -> None:
    watch = Stopwatch()
    with watch.stage("decode"):
        clock.now += 2_000_000
    clock.now += 500_000
    with watch.stage("invoke"):
        clock.now += 1_000_000
    with watch.stage("invoke"):
        clock.now += 250_000
    assert watch.milliseconds() == {
        "decode": 2.0, "ink": 0.0, "locate": 0.0, "frame": 0.0, "invoke": 1.25, "reject": 0.0, "total": 3.75,
    }  # fmt: skip
    assert (*STAGES, "total") == tuple(watch.milliseconds())


def test_calls_take_turns_and_the_warm_up_is_not_counted(clock: Clock) -> None:
    order: list[str] = []

    def call(name: str, warm: int, cold: int) -> None:
        clock.now += cold if order.count(name) < 2 else warm
        order.append(name)

    medians = interleaved(
        {"a": lambda: call("a", 3_000_000, 900_000_000), "b": lambda: call("b", 7_000_000, 800_000_000)},
        rounds=5,
        warm_up=2,
    )
    assert medians == {"a": 3.0, "b": 7.0}
    assert order == ["a", "b"] * 7


def test_the_median_is_not_moved_by_one_slow_call(clock: Clock) -> None:
    times = iter([1, 1, 1, 1, 1_000])

    def call() -> None:
        clock.now += next(times) * 1_000_000

    assert interleaved({"call": call}, rounds=5, warm_up=0) == {"call": 1.0}
