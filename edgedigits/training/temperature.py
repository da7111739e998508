"""Fit the temperature and the rejection threshold of a model on the validation split."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.contract import Contract
from edgedigits_runtime.preprocessing import Probabilities, apply_temperature

MAX_REJECTED = 0.0015
"""Largest share of validation images below the threshold."""

HIGHEST_THRESHOLD = 0.42
"""Upper limit of the threshold: a mark that may be either of two digits has a confidence near 0.5 and must pass.
0.42 kept the most digits and the fewest non-digits of the pictures in wild-dev."""


def with_temperature(contract: Contract, probabilities: Probabilities, labels: NDArray[np.int64]) -> Contract:
    """Return the contract with a temperature and a threshold fitted for one model file.

    `probabilities`, float32 [N, classes], and `labels`, int64 [N], are of that file on the validation split.
    """
    step = contract.probability_step
    temperature = fit_temperature(probabilities, labels, step)
    threshold = fit_threshold(apply_temperature(probabilities, temperature, step))
    return dataclasses.replace(contract, temperature=temperature, rejection_threshold=threshold)


def fit_temperature(probabilities: Probabilities, labels: NDArray[np.int64], step: float | None = None) -> float:
    """Return the temperature in 0.25..4 that maximises the likelihood of the labels.

    `step` is the difference between neighbouring probabilities of a quantized output. See Guo et al. 2017, "On
    Calibration of Modern Neural Networks", section 4.2.
    """
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(labels))

    def negative_log_likelihood(log_temperature: float) -> float:
        calibrated = apply_temperature(probabilities, float(np.exp(log_temperature)), step)
        return float(-np.log(np.maximum(calibrated[rows, labels], 1e-12)).mean())

    best = minimize_scalar(negative_log_likelihood, bounds=(np.log(0.25), np.log(4)), method="bounded")
    return round(float(np.exp(best.x)), 4)


def fit_threshold(confidences: Probabilities) -> float:
    """Return the highest threshold up to HIGHEST_THRESHOLD that rejects at most MAX_REJECTED of calibrated images."""
    surest = np.sort(confidences.max(axis=1))
    # Rounded down, so that rounding does not reject the sample at the threshold.
    highest = round(float(np.floor(surest[int(len(surest) * MAX_REJECTED)] * 1e4)) / 1e4, 4)
    return min(highest, HIGHEST_THRESHOLD)
