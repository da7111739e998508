"""Stages, throughput and scenarios, with engines of known times."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.synthetic_engine import SyntheticEngine
from edgedigits.benchmarking.measuring import scenarios
from edgedigits.benchmarking.measuring.latency_summary import StageTimes, milliseconds, summarise
from edgedigits.benchmarking.measuring.sampling import Effort, measure
from edgedigits.benchmarking.measuring.scenarios import AT_ONCE, Sustained, drift, offline, single_stream, sustain
from edgedigits.benchmarking.measuring.throughput import Point, knee, measure_throughput, thread_counts
from edgedigits.benchmarking.measuring.workload import load_workload, read_call
from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.errors import ClockError
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.timing import STAGES
from tests.support.tiny_models import contract, pictures


def test_every_stage_of_a_reading_is_timed(reader: Reader) -> None:
    times = StageTimes()
    measure(read_call(load_workload("read", "small"), reader), 10, Effort(20, 0), times.total, keep=times.keep)
    found = times.summaries()
    assert list(found) == [*STAGES, "total"]
    assert {summary.count for summary in found.values()} == {20}
    parts = sum(found[stage].mean for stage in STAGES)
    assert 0 < parts < found["total"].mean


def test_the_engine_alone_has_one_stage() -> None:
    times = StageTimes()
    assert times.summaries() == {}
    measure(lambda _: np.zeros(10), 1, Effort(5, 0), times.total, keep=times.keep)
    assert list(times.summaries()) == ["invoke", "total"]


@given(st.lists(st.integers(0, 2**50), min_size=1))
def test_milliseconds_hold_every_nanosecond(taken: list[int]) -> None:
    assert [round(value * 1e6) for value in milliseconds(np.array(taken)).tolist()] == taken


@pytest.mark.parametrize(
    ("most", "counts"), [(1, (1,)), (2, (1, 2)), (4, (1, 2, 4)), (6, (1, 2, 4, 6)), (16, (1, 2, 4, 8, 16))]
)
def test_thread_counts(most: int, counts: tuple[int, ...]) -> None:
    assert thread_counts(most) == counts


def test_throughput_of_an_engine_of_known_time() -> None:
    engine = SyntheticEngine(contract(), np.array([200_000]))
    points: list[Point] = []
    measure_throughput(engine, pictures(3), points, threads=(1, 2), batches=(1, 8), seconds=0.2)
    assert [(point.threads, point.batch) for point in points] == list(itertools.product((1, 2), (1, 8)))
    for point in points:
        low, high = point.interval
        assert low <= point.images_per_second <= high
        # Never faster than its delay; slower, because the threads share one Python interpreter.
        assert point.images_per_second <= point.batch * point.threads * 5_000


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ({(1, 1): 100, (1, 8): 200, (2, 1): 150, (2, 8): 210}, (1, 8)),
        ({(1, 1): 100, (1, 8): 101, (2, 1): 102, (2, 8): 103}, (1, 1)),
        ({(1, 1): 100, (1, 8): 110, (2, 1): 190, (2, 8): 195}, (2, 1)),
    ],
)
def test_the_knee_is_the_smallest_setting_near_the_maximum(
    rates: dict[tuple[int, int], float], expected: tuple[int, int]
) -> None:
    found = knee([Point(*setting, rate, (rate, rate), 10) for setting, rate in rates.items()])
    assert (found.threads, found.batch) == expected


def test_the_offline_scenario(reader: Reader) -> None:
    found = offline(reader.classifier, pictures(3), seconds=0, least=2)
    low, high = found["interval"]  # type: ignore[misc]  # of an object
    assert low <= found["images_per_second"] <= high
    assert (found["images"], found["calls"]) == (AT_ONCE, 2)


def test_the_single_stream_scenario() -> None:
    found = single_stream(summarise(np.arange(1.0, 1_001)))
    assert (found["p50_ms"], found["p99_ms"], found["queries"]) == (500, 990, 1_000)


@pytest.fixture
def few_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer windows, since garbage is collected before each."""
    monkeypatch.setattr(scenarios, "WINDOWS", 20)


class SlowingEngine:
    """A clock, and calls that slow from one millisecond to two within a minute."""

    def __init__(self) -> None:
        self.now = 0

    def clock(self) -> int:
        return self.now

    def call(self, _: int) -> None:
        self.now += 1_000_000 + self.now // 60_000


def test_a_sustained_run_shows_drift(few_windows: None) -> None:
    engine, found, reported = SlowingEngine(), Sustained(1.0), list[int]()
    sustain(
        engine.call,
        1,
        found,
        lambda: {"mhz": 1500.0},
        each=lambda: reported.append(len(found.windows)),
        now=engine.clock,
    )
    values = found.to_dict()
    assert reported == list(range(1, len(found.windows) + 1))
    assert 19 <= len(found.windows) <= 21
    assert found.windows[0]["p50"] == pytest.approx(1.0, rel=0.04)
    assert found.windows[-1]["mhz"] == 1500.0
    assert values["latency"].count == sum(window["count"] for window in found.windows)  # type: ignore[attr-defined]
    drifted = values["drift"]
    assert drifted["last_over_first"] == pytest.approx(1.95 / 1.05, rel=0.03)  # type: ignore[index]
    low, high = drifted["interval"]  # type: ignore[index]
    assert 1 < low < drifted["last_over_first"] < high  # type: ignore[index]


def test_a_sustained_run_that_fails_keeps_its_windows(few_windows: None) -> None:
    engine, found = SlowingEngine(), Sustained(1.0)

    def call(number: int) -> None:
        if engine.now > 30e9:
            engine.now -= 1_000
        else:
            engine.call(number)

    with pytest.raises(ClockError):
        sustain(call, 1, found, dict, now=engine.clock)
    assert 9 <= len(found.windows) <= 11
    assert Sustained(1.0).to_dict() == {"minutes": 1.0, "windows": []}


def test_few_windows_show_no_drift() -> None:
    assert drift([1.0] * 9) is None
    assert drift([2.0] * 10) == {"last_over_first": 1.0, "interval": (1.0, 1.0)}


def test_an_engine_that_fails_offline() -> None:
    engine = SyntheticEngine(contract(), np.array([0]), dies_after=1)
    with pytest.raises(RuntimeError, match="synthetic"):
        offline(Classifier(engine), pictures(1), seconds=0)
