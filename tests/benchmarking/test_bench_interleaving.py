"""Interleaved runs: fair orders, honest ratios, and candidates that fail or die beside others that go on."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits.benchmarking.side_by_side.hosts import Host, HostDied, Opening, Refused
from edgedigits.benchmarking.side_by_side.interleaving import (
    FEWEST_CALLS,
    Candidate,
    InterleavedRun,
    Plan,
    median_ends,
    orders,
    paired_ratio,
)

SMALL = Plan(rounds=3, seconds=0.003)


def candidate(name: str, opener: str, group: str = "", **arguments: Any) -> Candidate:
    return Candidate(name, group or name, Opening(f"bench_openers:{opener}", arguments))


def measured(medians: list[float]) -> dict[int, float]:
    return dict(enumerate(medians))


@given(count=st.integers(1, 6), rounds=st.integers(0, 20), seed=st.integers(0))
def test_every_round_has_each_once_and_the_seed_says_in_which_order(count: int, rounds: int, seed: int) -> None:
    names = [str(number) for number in range(count)]
    drawn = orders(names, Plan(rounds, seed=seed))
    assert drawn == orders(names, Plan(rounds, seed=seed))
    assert [sorted(order) for order in drawn] == [names] * rounds


def test_no_candidate_keeps_its_place() -> None:
    drawn = orders(["a", "b", "c"], Plan(rounds=200))
    for place in range(3):
        first = [order[place] for order in drawn]
        assert all(40 < first.count(name) < 95 for name in "abc")


@given(
    speed=st.lists(st.floats(0.1, 10), min_size=6, max_size=30),
    factor=st.floats(0.2, 5),
)
def test_drift_that_slows_both_leaves_the_ratio_alone(speed: list[float], factor: float) -> None:
    ratio = paired_ratio(measured([factor * value for value in speed]), measured(speed))
    assert ratio is not None
    assert ratio.low is not None
    assert ratio.high is not None
    assert ratio.value == pytest.approx(factor)
    assert ratio.low <= ratio.value <= ratio.high


def test_a_difference_is_said_only_where_the_interval_excludes_it() -> None:
    steady, up_and_down = measured([1.0] * 8), measured([0.9, 1.1] * 4)
    assert paired_ratio(up_and_down, steady).verdict == "no difference shown"  # type: ignore[union-attr]
    assert paired_ratio(measured([1.2] * 8), steady).verdict == "slower"  # type: ignore[union-attr]
    assert paired_ratio(measured([0.8] * 8), steady).verdict == "faster"  # type: ignore[union-attr]


def test_few_rounds_give_no_interval_and_none_no_ratio() -> None:
    ratio = paired_ratio(measured([2.0] * 5), measured([1.0] * 5))
    assert ratio is not None
    assert (ratio.low, ratio.shown, ratio.verdict) == (None, False, "too few rounds for an interval")
    assert paired_ratio(measured([]), measured([1.0])) is None


@given(count=st.integers(0, 300))
def test_the_ends_hold_the_median_as_often_as_scipy_says(count: int) -> None:
    from scipy.stats import binom

    ends = median_ends(count)
    if ends is None:
        assert 2 * binom.cdf(0, count, 0.5) > 0.05
        return
    low, high = ends
    assert low + high == count - 1
    assert binom.cdf(low, count, 0.5) <= 0.025 < binom.cdf(low + 1, count, 0.5)


@pytest.mark.slow
def test_a_block_times_what_was_asked_for_and_only_that() -> None:
    with Host() as host:
        host.open("a", Opening("bench_openers:sleeping", {"milliseconds": 2.0}))
        block = host.block("a", 7)
    assert len(block) == 7
    assert block.min() >= 2_000_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("opener", "arguments", "kind", "expected"),
    [
        ("exiting", {}, HostDied, "ended with exit code 3"),
        ("nowhere", {}, Refused, "AttributeError: .*nowhere"),
        ("failing", {"calls": 0}, Refused, "^RuntimeError: out of luck$"),
        ("dying", {"calls": 0, "signal": 11}, HostDied, "ended by SIGSEGV"),
    ],
)
def test_what_cannot_be_opened_says_why(
    opener: str, arguments: dict[str, Any], kind: type[Exception], expected: str
) -> None:
    with Host() as host, pytest.raises(kind, match=expected):
        host.open("a", Opening(f"bench_openers:{opener}", arguments))


@pytest.mark.slow
def test_a_host_that_hangs_is_ended() -> None:
    with Host(patience=0.1) as host:
        with pytest.raises(HostDied, match="did not answer within 0 s"):
            host.open("a", Opening("bench_openers:hanging"))
        assert host._process is None


@pytest.mark.slow
def test_one_that_dies_midway_keeps_its_rounds_and_the_others_go_on() -> None:
    # Opening takes one call, the warm-up at most 10 blocks of 5 and 3 uncounted ones: it dies in the rounds.
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
    assert "ended by SIGKILL (after" in found["dies"].error
    assert "RuntimeError: out of luck (after" in found["fails"].error
    ratio = paired_ratio(found["apart"].medians, found["well"].medians)
    assert ratio is not None
    assert ratio.verdict == "slower"


@pytest.mark.slow
def test_one_group_is_one_process() -> None:
    run = InterleavedRun([candidate(name, "sleeping", name[0]) for name in ("a1", "a2", "b1")], SMALL)
    run.measure(lambda _: None)
    processes = {name: one.facts["process"] for name, one in run.found.items()}
    assert processes["a1"] == processes["a2"] != processes["b1"]
