"""Wilson, McNemar, cosine and margins against SciPy and direct formulas."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from scipy.stats import binomtest, norm

from edgedigits.verification.comparison import cosine, margins
from edgedigits_runtime.intervals import Z95, accuracy_drop, mcnemar, wilson

counts = st.integers(1, 20_000).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))
rows = arrays.arrays(np.float32, (4, 5), elements=st.floats(1 / 512, 1, width=32))


def test_z95_is_the_97_5_percent_point() -> None:
    assert pytest.approx(norm.ppf(0.975), abs=1e-12) == Z95


@given(counts)
def test_wilson_equals_scipy(given: tuple[int, int]) -> None:
    share = wilson(*given)
    interval = binomtest(*given).proportion_ci(method="wilson")
    assert share.value == given[0] / given[1]
    assert share.low == pytest.approx(interval.low, abs=1e-9)
    assert share.high == pytest.approx(interval.high, abs=1e-9)
    assert 0 <= share.low <= share.value <= share.high <= 1


def test_wilson_on_a_published_example() -> None:
    """Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I: 81 of 263."""
    share = wilson(81, 263)
    assert (round(share.low, 4), round(share.high, 4)) == (0.2553, 0.3662)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_exact_binomial_test(first: int, second: int) -> None:
    total, smaller = first + second, min(first, second)
    tail = sum(math.comb(total, k) for k in range(smaller + 1)) / 2**total
    assert mcnemar(first, second) == pytest.approx(min(1.0, 2 * tail))
    assert mcnemar(first, second) == mcnemar(second, first)


def test_mcnemar_without_differences() -> None:
    assert mcnemar(0, 0) == 1.0


@given(rows, rows)
def test_cosine(first: NDArray[np.float32], second: NDArray[np.float32]) -> None:
    found = cosine(first, second)
    for a, b, similarity in zip(first.tolist(), second.tolist(), found, strict=True):
        direct = math.sumprod(a, b) if hasattr(math, "sumprod") else sum(x * y for x, y in zip(a, b, strict=True))
        assert similarity == pytest.approx(direct / (math.hypot(*a) * math.hypot(*b)))
    np.testing.assert_allclose(cosine(first, first), 1)


@given(rows)
def test_margins(probabilities: NDArray[np.float32]) -> None:
    for row, margin in zip(probabilities.tolist(), margins(probabilities), strict=True):
        first, second = sorted(row)[-1], sorted(row)[-2]
        assert margin == pytest.approx(first - second, abs=1e-6)


@given(st.integers(1, 20_000), st.integers(0, 60), st.integers(0, 60))
def test_the_drop_s_interval_is_mcnemar_s_test_at_0_and_turns_with_the_models(images: int, lost: int, won: int) -> None:
    lost, won = min(lost, images), min(won, images - min(lost, images))
    drop, back = accuracy_drop(lost, won, images), accuracy_drop(won, lost, images)
    assert -1 <= drop.low <= drop.value == (lost - won) / images <= drop.high <= 1
    assert (back.low, back.high) == pytest.approx((-drop.high, -drop.low), abs=1e-9)
    statistic = (lost - won) / math.sqrt(lost + won or 1)
    if abs(statistic - Z95) > 1e-6:
        assert (drop.low > 0) == (statistic > Z95)


def test_the_interval_covers_the_true_drop_about_19_times_in_20() -> None:
    rng, images, missed = np.random.default_rng(0), 500, 0
    lost, won = 0.02, 0.005
    for _ in range(400):
        counts = rng.multinomial(images, (lost, won, 1 - lost - won))
        share = accuracy_drop(int(counts[0]), int(counts[1]), images)
        missed += not share.low <= lost - won <= share.high
    assert 8 <= missed <= 34
