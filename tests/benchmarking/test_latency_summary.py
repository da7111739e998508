"""Summaries against NumPy and SciPy, and properties of every series of times."""

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

from edgedigits.benchmarking.measuring.latency_summary import (
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
def test_percentiles_agree_with_numpy(count: int, name: str) -> None:
    values = np.random.default_rng(count).lognormal(size=count)
    expected = np.quantile(values, PER_MILLE[name] / 1000, method="inverted_cdf")
    assert getattr(summarise(values), name) == expected


@given(series, shares)
def test_a_percentile_is_the_nearest_rank(values: NDArray[np.float64], share: int) -> None:
    found = percentile(np.sort(values), share)
    assert found in values
    assert 1000 * np.count_nonzero(values <= found) >= share * len(values)
    assert 1000 * np.count_nonzero(values < found) < share * len(values)


@given(series)
def test_every_value_is_counted_and_percentiles_rise(values: NDArray[np.float64]) -> None:
    found = summarise(values)
    assert found.count == len(values) == sum(found.histogram.counts)
    assert [found.min, found.max] == [values.min(), values.max()]
    assert found.min <= found.p50 <= found.p90 <= found.p99 <= found.p99_9 <= found.max
    assert found.mean == pytest.approx(values.mean(), rel=1e-9)


@given(series)
def test_an_interval_contains_its_percentile_and_ends_at_measured_values(values: NDArray[np.float64]) -> None:
    found = summarise(values)
    for name, (low, high) in found.interval.items():
        assert low is None or (low in values and low <= getattr(found, name))
        assert high is None or (high in values and high >= getattr(found, name))


@given(series)
def test_a_histogram_counts_every_value_in_narrow_bins(values: NDArray[np.float64]) -> None:
    found = histogram(np.sort(values))
    assert len(found.edges) == len(found.counts) + 1
    assert np.histogram(values, found.edges)[0].tolist() == found.counts
    assert found.counts[0] > 0 < found.counts[-1]
    for low, high, count in zip(found.edges, found.edges[1:], found.counts, strict=False):
        assert low < high
        assert not count or low == 0 or high / low < 1.0101


@given(series, st.floats(1e-3, 1e3))
def test_percentiles_scale_with_the_unit(values: NDArray[np.float64], factor: float) -> None:
    found, scaled = summarise(values), summarise(values * factor)
    for name in PER_MILLE:
        assert getattr(scaled, name) == getattr(found, name) * factor


def test_ranks_are_exact_integers() -> None:
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
def test_tails_agree_with_students_t(blocks: int) -> None:
    t = stats.t(blocks - 1).ppf(0.975)
    assert expanded_tail(blocks) == pytest.approx(stats.norm.cdf(-t * np.sqrt(blocks / (blocks - 1))), rel=0.05)


def test_intervals_of_single_values_agree_with_scipy() -> None:
    """With one value per block the bootstrap is the ordinary one."""
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
def test_intervals_contain_the_true_percentile_at_their_confidence(name: str, count: int) -> None:
    random = np.random.default_rng(5)
    true = stats.lognorm(1).ppf(PER_MILLE[name] / 1000)
    held = [_holds(summarise(random.lognormal(size=count)), name, true) for _ in range(200)]
    assert np.mean(held) > 0.91


@pytest.mark.slow
def test_slow_spells_widen_intervals() -> None:
    """3,000 calls in 40 spells of 75 dependent calls each.

    The interval of independent calls, from the binomial distribution, contains the true median in less than half of
    all runs.
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


def test_summaries_are_deterministic_and_fit_json() -> None:
    values = np.random.default_rng(1).lognormal(size=5_000)
    first = summarise(values)
    assert first == summarise(values)
    assert json.loads(json.dumps(asdict(first)))["p99_9"] == first.p99_9


def test_summary_of_one_value() -> None:
    found = summarise(np.array([2.5]))
    assert (found.min, found.p50, found.p99_9, found.max) == (2.5,) * 4
    assert found.interval["p50"] == (None, None)
    assert found.histogram.counts == [1]


@pytest.mark.parametrize("values", [[], [[1.0]], [1.0, float("nan")], [-1.0], [float("inf")]])
def test_other_series_are_an_error(values: list[float]) -> None:
    with pytest.raises(ArrayError):
        summarise(np.array(values))


def _holds(found: Summary, name: str, value: float) -> bool:
    low, high = found.interval[name]
    return (low is None or low <= value) and (high is None or value <= high)
