"""The kind of a model's output, from its values."""

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.contract import OutputKind

SLACK = 1e-3
"""By which a sum of float probabilities may differ from 1."""


def kind_of_values(values: NDArray[np.float32], step: float | None = None) -> OutputKind | None:
    """Return the kind of real outputs, float32 [N, classes], of several different images; None if they fit no kind.

    Args:
        values: one column is the probability of the second of two classes.
        step: difference between neighbouring values of a quantized output.
    """
    if not np.isfinite(values).all():
        return None
    classes, step = values.shape[1], step or 0.0
    shares = bool((values >= -SLACK).all() and (values <= 1 + SLACK + step).all())
    if classes == 1:
        return "sigmoid" if shares else None
    # Each value is off by half a step at most.
    if shares and (np.abs(values.sum(axis=1) - 1) <= SLACK + classes * step / 2).all():
        return "probabilities"
    if (values <= SLACK).all():
        total = np.exp(values.astype(np.float64)).sum(axis=1)
        if (np.abs(np.log(total)) <= SLACK + step).all():
            return "log-probabilities"
    return "sigmoids" if shares else "logits"
