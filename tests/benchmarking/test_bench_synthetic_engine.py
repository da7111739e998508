"""The synthetic engine with given delays."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.synthetic_engine import SyntheticEngine, lognormal_delays
from tests.support.tiny_models import contract, int8_contract, pictures


def test_delays_have_the_percentiles_of_their_distribution() -> None:
    delays = lognormal_delays(2.0, 0.5, 1000)
    law = stats.lognorm(0.5, scale=2e6)
    for share in (0.5, 0.9, 0.99):
        assert np.quantile(delays, share, method="inverted_cdf") == pytest.approx(law.ppf(share), rel=0.02)
    assert np.array_equal(delays, lognormal_delays(2.0, 0.5, 1000))
    assert not np.array_equal(delays, np.sort(delays))


def test_the_engine_answers_and_fails_after_the_given_calls() -> None:
    engine = SyntheticEngine(contract(), np.array([1000, 2000]), dies_after=3)
    for _ in range(3):
        assert engine.run(pictures(2)).shape == (2, 10)
    with pytest.raises(RuntimeError, match="synthetic"):
        engine.run(pictures(1))
    assert engine.calls == 3


def test_int8_answers() -> None:
    engine = SyntheticEngine(int8_contract(), np.array([0]))
    assert engine.invoke(engine.feed(pictures(1))).dtype == np.int8
