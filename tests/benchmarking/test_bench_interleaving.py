"""Interleaved runs: random orders, paired ratios, and candidates that fail while others continue."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits.benchmarking.side_by_side.interleaving import (
    FEWEST_CALLS,
    Candidate,
    InterleavedRun,
    Plan,
    median_ends,
    orders,
    paired_ratio,
)
from edgedigits.benchmarking.side_by_side.measuring_process import MeasuringProcess
from edgedigits_runtime.errors import EngineDied

OPENERS = "tests.support.bench_openers"
SMALL = Plan(rounds=3, seconds=0.003)


def candidate(name: str, opener: str, group: str = "", **arguments: Any) -> Candidate:
    return Candidate(name, group or name, f"{OPENERS}:{opener}", arguments)


def measured(medians: list[float]) -> dict[int, float]:
    return dict(enumerate(medians))


@given(count=st.integers(1, 6), rounds=st.integers(0, 20), seed=st.integers(0))
def test_every_round_has_each_candidate_once_in_an_order_by_the_seed(count: int, rounds: int, seed: int) -> None:
    names = [str(number) for number in range(count)]
    drawn = orders(names, Plan(rounds, seed=seed))
    assert drawn == orders(names, Plan(rounds, seed=seed))
    assert [sorted(order) for order in drawn] == [names] * rounds


def test_orders_are_uniform() -> None:
    drawn = orders(["a", "b", "c"], Plan(rounds=200))
    for place in range(3):
        first = [order[place] for order in drawn]
        assert all(40 < first.count(name) < 95 for name in "abc")


@given(
    speed=st.lists(st.floats(0.1, 10), min_size=6, max_size=30),
    factor=st.floats(0.2, 5),
)
def test_common_drift_does_not_change_the_ratio(speed: list[float], factor: float) -> None:
    ratio = paired_ratio(measured([factor * value for value in speed]), measured(speed))
    assert ratio is not None
    assert ratio.low is not None
    assert ratio.high is not None
    assert ratio.value == pytest.approx(factor)
    assert ratio.low <= ratio.value <= ratio.high


def test_a_difference_needs_an_interval_without_1() -> None:
    steady, up_and_down = measured([1.0] * 8), measured([0.9, 1.1] * 4)
    assert paired_ratio(up_and_down, steady).verdict == "no difference shown"  # type: ignore[union-attr]
    assert paired_ratio(measured([1.2] * 8), steady).verdict == "slower"  # type: ignore[union-attr]
    assert paired_ratio(measured([0.8] * 8), steady).verdict == "faster"  # type: ignore[union-attr]


def test_few_rounds_give_no_interval_and_no_rounds_no_ratio() -> None:
    ratio = paired_ratio(measured([2.0] * 5), measured([1.0] * 5))
    assert ratio is not None
    assert (ratio.low, ratio.shown, ratio.verdict) == (None, False, "too few rounds for an interval")
    assert paired_ratio(measured([]), measured([1.0])) is None


@given(count=st.integers(0, 300))
def test_median_ends_agree_with_scipy(count: int) -> None:
    from scipy.stats import binom

    ends = median_ends(count)
    if ends is None:
        assert 2 * binom.cdf(0, count, 0.5) > 0.05
        return
    low, high = ends
    assert low + high == count - 1
    assert binom.cdf(low, count, 0.5) <= 0.025 < binom.cdf(low + 1, count, 0.5)


@pytest.fixture
def process() -> Iterator[MeasuringProcess]:
    process = MeasuringProcess()
    yield process
    process.close()


@pytest.mark.slow
def test_a_block_times_the_requested_calls(process: MeasuringProcess) -> None:
    process.open("a", f"{OPENERS}:sleeping", {"milliseconds": 2.0})
    block = process.block("a", 7)
    assert len(block) == 7
    assert block.min() >= 2_000_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("opener", "arguments", "fact", "alive"),
    [
        ("exiting", {}, "exit code 3", False),
        ("nowhere", {}, "AttributeError: .*nowhere", True),
        ("failing", {"calls": 0}, "RuntimeError: out of luck$", True),
        ("dying", {"calls": 0, "signal": 11}, "SIGSEGV", False),
    ],
)
def test_the_error_of_an_opener_is_reported(
    opener: str, arguments: dict[str, Any], fact: str, alive: bool, process: MeasuringProcess
) -> None:
    with pytest.raises(EngineDied, match=fact):
        process.open("a", f"{OPENERS}:{opener}", arguments)
    assert process.alive == alive


@pytest.mark.slow
def test_a_process_that_hangs_is_ended() -> None:
    process = MeasuringProcess(timeout=0.1)
    with pytest.raises(EngineDied, match=r"0\.1 seconds"):
        process.open("a", f"{OPENERS}:hanging", {})
    assert not process.alive


@pytest.mark.slow
def test_a_candidate_that_dies_keeps_its_rounds_and_others_continue() -> None:
    # Opening takes 1 call, the warm-up at most 10 blocks of 5 and 3 uncounted ones: it dies in the rounds.
    plan = Plan(rounds=40, seconds=1e-9)
    run = InterleavedRun(
        [
            candidate("well", "sleeping", "one", milliseconds=0.2),
            candidate("dies", "dying", "one", calls=120),
            candidate("fails", "failing", "one", calls=110),
            candidate("apart", "sleeping", "two", milliseconds=0.4),
        ],
        plan,
    )
    rounds: list[int] = []
    run.measure(rounds.append)
    found = run.found
    assert rounds == list(range(plan.rounds + 1))
    for name in ("well", "apart"):
        assert found[name].error == ""
        assert len(found[name].series) == plan.rounds * FEWEST_CALLS
    assert 0 < len(found["dies"].blocks) < plan.rounds
    assert re.search(r"SIGKILL.*\(after \d+", found["dies"].error)
    assert "RuntimeError: out of luck" in found["fails"].error
    ratio = paired_ratio(found["apart"].medians, found["well"].medians)
    assert ratio is not None
    assert ratio.verdict == "slower"


@pytest.mark.slow
def test_candidates_of_one_group_share_a_process() -> None:
    run = InterleavedRun([candidate(name, "sleeping", name[0]) for name in ("a1", "a2", "b1")], SMALL)
    run.measure(lambda _: None)
    processes = {name: one.facts["process"] for name, one in run.found.items()}
    assert processes["a1"] == processes["a2"] != processes["b1"]
