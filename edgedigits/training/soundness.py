"""Whether a trained network has learned anything, and why not."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgedigits.data.dataset import Samples
from edgedigits_runtime.errors import ModelInaccurate
from edgedigits_runtime.intervals import wilson
from edgedigits_runtime.preprocessing import Probabilities

FAR_BELOW = 0.15
"""Validation accuracy below training accuracy, as a fraction, that is worth words."""

FEW_STEPS = 500
"""Of a training in which batch normalisation's moving averages, of momentum 0.99, still differ from the batches'."""


def check_learned(probabilities: Probabilities, samples: Samples, cause: str) -> None:
    """Refuse a network that is at chance on validation images: no better than naming the most frequent class.

    Args:
        probabilities: float32 [N, outputs], of the N samples.
        samples: the validation samples.
        cause: from diagnose_gap; may be empty.

    Raises:
        ModelInaccurate: the 95% interval of its accuracy includes chance.
    """
    count = len(samples)
    reached = wilson(int((probabilities.argmax(axis=1) == samples.labels).sum()), count)
    chance = float(np.bincount(samples.labels).max() / count)
    if reached.low <= chance:
        raise ModelInaccurate(
            f"the network has not learned: it reads {reached.value:.1%} of {count:,} validation images, and the most"
            f" frequent class is {chance:.1%}; no model was written; {cause or 'train longer, or give more pictures'}"
        )


def diagnose_gap(network: Any, history: Sequence[dict[str, float]], steps: int) -> str:
    """Return why training accuracy is far above validation accuracy, and what to do; empty if it is not.

    Args:
        network: the Keras model, before batch normalisation is folded.
        history: of all epochs.
        steps: of an epoch.
    """
    if not history:
        return ""
    seen, unseen = history[-1]["accuracy"], history[-1]["val_accuracy"]
    if seen - unseen < FAR_BELOW:
        return ""
    gap = f"training accuracy {seen:.1%} is far above validation accuracy {unseen:.1%}"
    total = steps * len(history)
    normalised = any(type(layer).__name__ == "BatchNormalization" for layer in network.layers)
    if normalised and total < FEW_STEPS:
        return (
            f"{gap}: in {total:,} steps, {steps:,} an epoch, the averages of batch normalisation do not settle; give"
            " more --epochs or a smaller --batch-size, or start from a trained network with --from base"
        )
    return f"{gap}: the network knows the training pictures by heart; give more pictures, --augment, or --from base"
