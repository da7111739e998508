"""The stopwatch, and calls measured in turns."""

import pytest

from edgedigits_runtime import timing
from edgedigits_runtime.timing import BLOCK, STAGES, Stopwatch, interleaved


class Clock:
    """A clock in nanoseconds that the test advances."""

    def __init__(self) -> None:
        self.now = 0

    def perf_counter_ns(self) -> int:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timing, "time", clock)
    return clock


def test_the_total_includes_time_between_stages(clock: Clock) -> None:
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


def test_the_first_round_of_blocks_is_not_counted(clock: Clock) -> None:
    order: list[str] = []

    def call(name: str, first: int, later: int) -> None:
        order.append(name)
        clock.now += first if order.count(name) <= BLOCK else later

    medians = interleaved(
        {"a": lambda: call("a", 900_000_000, 3_000_000), "b": lambda: call("b", 800_000_000, 7_000_000)},
        rounds=3,
        clock=clock.perf_counter_ns,
    )
    assert medians == {"a": 3.0, "b": 7.0}
    blocks = [set(order[start : start + BLOCK]) for start in range(0, len(order), BLOCK)]
    assert [len(block) for block in blocks] == [1] * 8
    assert all(first | second == {"a", "b"} for first, second in zip(blocks[::2], blocks[1::2], strict=True))


def test_one_slow_call_does_not_change_the_median(clock: Clock) -> None:
    times = iter([1] * BLOCK + [1] * (BLOCK - 1) + [1_000])

    def call() -> None:
        clock.now += next(times) * 1_000_000

    assert interleaved({"call": call}, rounds=1, clock=clock.perf_counter_ns) == {"call": 1.0}
