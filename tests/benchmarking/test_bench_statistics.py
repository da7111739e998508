"""Summaries against NumPy and SciPy, and what holds for every series of times."""

import json
from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from scipy import stats

from edgedigits.benchmarking.measuring.statistics import (
    PER_MILLE,
    Summary,
    bounded,
    expanded_tail,
    histogram,
    mean_interval,
    percentile,
    rank,
    summarise,
)
from edgedigits_runtime.errors import ArrayError

times = st.one_of(st.just(0.0), st.floats(1e-6, 1e6))
series = arrays.arrays(np.float64, st.integers(1, 300), elements=times)
shares = st.sampled_from(list(PER_MILLE.values()))


@pytest.mark.parametrize("count", [10, 1_000, 20_000])
@pytest.mark.parametrize("name", PER_MILLE)
def test_percentiles_are_those_of_numpy(count: int, name: str) -> None:
    values = np.random.default_rng(count).lognormal(size=count)
    expected = np.quantile(values, PER_MILLE[name] / 1000, method="inverted_cdf")
    assert getattr(summarise(values), name) == expected


@given(series, shares)
def test_a_percentile_is_the_first_value_that_enough_do_not_exceed(values: NDArray[np.float64], share: int) -> None:
    found = percentile(np.sort(values), share)
    assert found in values
    assert 1000 * np.count_nonzero(values <= found) >= share * len(values)
    assert 1000 * np.count_nonzero(values < found) < share * len(values)


@given(series)
def test_every_value_is_counted_and_figures_stand_in_their_order(values: NDArray[np.float64]) -> None:
    found = summarise(values)
    assert found.count == len(values) == sum(found.histogram.counts)
    assert [found.min, found.max] == [values.min(), values.max()]
    assert found.min <= found.p50 <= found.p90 <= found.p99 <= found.p99_9 <= found.max
    assert found.mean == pytest.approx(values.mean(), rel=1e-9)


@given(series)
def test_an_interval_holds_its_percentile_and_ends_at_measured_values(values: NDArray[np.float64]) -> None:
    found = summarise(values)
    for name, (low, high) in found.interval.items():
        assert low is None or (low in values and low <= getattr(found, name))
        assert high is None or (high in values and high >= getattr(found, name))


@given(series)
def test_a_histogram_has_the_bins_it_says(values: NDArray[np.float64]) -> None:
    found = histogram(np.sort(values))
    assert len(found.edges) == len(found.counts) + 1
    assert np.histogram(values, found.edges)[0].tolist() == found.counts
    assert found.counts[0] > 0 < found.counts[-1]
    for low, high, count in zip(found.edges, found.edges[1:], found.counts, strict=False):
        assert low < high
        assert not count or low == 0 or high / low < 1.0101


@given(series, st.floats(1e-3, 1e3))
def test_another_unit_gives_the_same_figures(values: NDArray[np.float64], factor: float) -> None:
    found, scaled = summarise(values), summarise(values * factor)
    for name in PER_MILLE:
        assert getattr(scaled, name) == getattr(found, name) * factor


def test_ranks_are_whole_where_floats_would_not_be() -> None:
    assert rank(1000, 999) == 999
    assert rank(1001, 999) == 1000
    assert [rank(100, share) for share in PER_MILLE.values()] == [50, 90, 99, 100]


def test_few_values_bound_no_high_percentile() -> None:
    assert [bounded(count, 500) for count in (5, 6)] == [(False, False), (True, True)]
    assert [bounded(count, 999)[1] for count in (3_687, 3_688)] == [False, True]
    low, high = summarise(np.arange(1.0, 1_001)).interval["p99_9"]
    assert low is not None
    assert high is None


@pytest.mark.parametrize("blocks", [10, 30, 100])
def test_tails_are_those_of_students_t(blocks: int) -> None:
    t = stats.t(blocks - 1).ppf(0.975)
    assert expanded_tail(blocks) == pytest.approx(stats.norm.cdf(-t * np.sqrt(blocks / (blocks - 1))), rel=0.05)


def test_intervals_of_single_values_are_those_of_scipy() -> None:
    """With as many values as blocks each block is one value, and the bootstrap the ordinary one."""
    values = np.random.default_rng(3).lognormal(size=30)

    def reference(statistic: Callable[..., object]) -> tuple[float, float]:
        level = 1 - 2 * expanded_tail(30)
        found = stats.bootstrap(
            (values,), statistic, n_resamples=4_000, confidence_level=level, method="percentile",
            rng=np.random.default_rng(0),
        )  # fmt: skip
        return found.confidence_interval.low, found.confidence_interval.high

    assert mean_interval(values) == pytest.approx(reference(np.mean), rel=0.05)
    assert summarise(values).interval["p50"] == pytest.approx(reference(np.median), rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), [("p50", 60), ("p50", 3_000), ("p90", 3_000), ("p99", 3_000)])
def test_intervals_hold_the_true_percentile_as_often_as_they_say(name: str, count: int) -> None:
    random = np.random.default_rng(5)
    true = stats.lognorm(1).ppf(PER_MILLE[name] / 1000)
    held = [_holds(summarise(random.lognormal(size=count)), name, true) for _ in range(200)]
    assert np.mean(held) > 0.91


@pytest.mark.slow
def test_slow_spells_widen_intervals() -> None:
    """Times that depend on those before them, as a processor's clock makes them: single calls would promise too much.

    Of 3,000 calls, 40 spells of 75 are as slow as each other; an interval of independent calls, from the binomial
    distribution, holds the true median in less than half of all runs.
    """
    random = np.random.default_rng(6)
    held, naive = [], []
    for _ in range(200):
        values = np.exp(np.repeat(random.normal(size=40), 75) + 0.1 * random.normal(size=3_000))
        held.append(_holds(summarise(values), "p50", 1.0))
        low, high = stats.binom(3_000, 0.5).ppf([0.025, 0.975]).astype(int)
        ordered = np.sort(values)
        naive.append(ordered[low] <= 1 <= ordered[high])
    assert np.mean(naive) < 0.5
    assert np.mean(held) > 0.85


def test_the_same_series_gives_the_same_summary_and_json() -> None:
    values = np.random.default_rng(1).lognormal(size=5_000)
    first = summarise(values)
    assert first == summarise(values)
    assert json.loads(json.dumps(asdict(first)))["p99_9"] == first.p99_9


def test_one_value() -> None:
    found = summarise(np.array([2.5]))
    assert (found.min, found.p50, found.p99_9, found.max) == (2.5,) * 4
    assert found.interval["p50"] == (None, None)
    assert found.histogram.counts == [1]


@pytest.mark.parametrize("values", [[], [[1.0]], [1.0, float("nan")], [-1.0], [float("inf")]])
def test_what_is_no_series_of_times(values: list[float]) -> None:
    with pytest.raises(ArrayError, match="a summary needs"):
        summarise(np.array(values))


def _holds(found: Summary, name: str, value: float) -> bool:
    low, high = found.interval[name]
    return (low is None or low <= value) and (high is None or value <= high)
