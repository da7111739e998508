"""The fit of the judge's weights."""

import numpy as np
import pytest

from benchmarks.finder_confidence import fitted
from edgedigits_runtime.reading.judge import log_odds


@pytest.mark.parametrize("true", [(-1.0, 1.5, -0.5, 0.8), (0.5, 1.0, 0.7, 0.4), (0.2, -0.3, -0.4, 1.2)])
def test_the_fit_finds_the_weights_and_no_wrong_sign(true: tuple[float, ...]) -> None:
    draws = np.random.default_rng(0)
    answers = draws.uniform(0.02, 0.98, (20_000, 3))
    chances = 1 / (1 + np.exp(-(true[0] + log_odds(answers) @ np.array(true[1:]))))
    weights = fitted(answers, draws.uniform(size=len(answers)) < chances)
    allowed = np.array([true[0], max(true[1], 0), min(true[2], 0), max(true[3], 0)])
    assert np.array_equal(weights != 0, allowed != 0)
    # Where a factor is left out, the others are a little weaker.
    assert np.allclose(weights, allowed, atol=0.1 if np.array_equal(allowed, true) else 0.4)
