"""Fit the temperature and the rejection threshold of a model on the validation split."""

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.contract import Contract
from edgedigits_runtime.preprocessing import Probabilities, apply_temperature, calibrated

GOLDEN = (5**0.5 - 1) / 2
PRECISION = 1e-5
"""Of the logarithm of a temperature."""

MAX_REJECTED = 0.0015
"""Largest share of validation images below the threshold."""

HIGHEST_THRESHOLD = 0.42
"""Upper limit of the threshold: a mark that may be either of two digits has a confidence near 0.5 and must pass.
0.42 kept the most digits and the fewest non-digits of the pictures in wild-dev."""


def with_temperature(contract: Contract, probabilities: Probabilities, labels: NDArray[np.int64]) -> Contract:
    """Return the contract with a temperature and a threshold fitted for one model file.

    `probabilities`, float32 [N, outputs] from Engine.run_all, and `labels`, int64 [N], are of that file on the
    validation split.
    """
    temperature = fit_temperature(probabilities, labels, contract.probability_step)
    contract = dataclasses.replace(contract, temperature=temperature)
    return dataclasses.replace(contract, rejection_threshold=fit_threshold(calibrated(probabilities, contract)))


def fit_temperature(probabilities: Probabilities, labels: NDArray[np.int64], step: float | None = None) -> float:
    """Return the temperature in 0.25..4 that maximises the likelihood of the labels.

    `step` is the difference between neighbouring probabilities of a quantized output. See Guo et al. 2017, "On
    Calibration of Modern Neural Networks", section 4.2.
    """
    rows = np.arange(len(labels))

    def negative_log_likelihood(log_temperature: float) -> float:
        calibrated = apply_temperature(probabilities, float(np.exp(log_temperature)), step)
        return float(-np.log(np.maximum(calibrated[rows, labels], 1e-12)).mean())

    return round(float(np.exp(_lowest(negative_log_likelihood, np.log(0.25), np.log(4)))), 4)


def _lowest(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function with one minimum is lowest, by golden-section search; SciPy is not in a light install."""
    first, second = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    values = function(first), function(second)
    while high - low > PRECISION:
        if values[0] <= values[1]:
            high, second, first = second, first, second - GOLDEN * (second - low)
            values = function(first), values[0]
        else:
            low, first, second = first, second, first + GOLDEN * (high - first)
            values = values[1], function(second)
    return (low + high) / 2


def fit_threshold(confidences: Probabilities) -> float:
    """Return the highest threshold up to HIGHEST_THRESHOLD that rejects at most MAX_REJECTED of calibrated images."""
    surest = np.sort(confidences.max(axis=1))
    # Rounded down, so that rounding does not reject the sample at the threshold.
    highest = round(float(np.floor(surest[int(len(surest) * MAX_REJECTED)] * 1e4)) / 1e4, 4)
    return min(highest, HIGHEST_THRESHOLD)
