"""What is known of a converted model, and how far its outputs may be from those of the original."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.errors import GateMissed

TOLERANCE = 1e-4
"""Largest difference of an output, as a share of the largest output of the original. Float32 sums in another order
differ by some 1e-6."""

HALF_TOLERANCE = 1e-2
"""The same for networks that compute in float16 or bfloat16, whose numbers have 8 to 11 bits."""


SMALLEST = 1e-30
"""Smaller probabilities count as this: float32 has few bits for them, or none."""


@dataclass(frozen=True)
class KerasSource:
    """What is known of a model that was converted.

    Args:
        loaded_with: what read the original, such as "Keras 3.15.1" or "tf-keras 2.21.0".
        difference: the largest difference of an output, as a share of the largest output; see compare.
        inputs: how many random inputs were compared.
        notes: what a user should know.
    """

    loaded_with: str
    difference: float
    inputs: int
    notes: tuple[str, ...] = ()


def compare(original: NDArray[Any], new: NDArray[Any], tolerance: float = TOLERANCE) -> float:
    """Return the largest difference of two outputs, as a share of the largest number in the original's.

    Of probabilities the logarithms are compared: a softmax of 0 and 1 hides what differs before it.

    Raises:
        GateMissed: it is larger than the tolerance, or the shapes differ, or the numbers are not finite.
    """
    if original.shape != new.shape:
        raise GateMissed(f"the new file answers with {list(new.shape)}, the original with {list(original.shape)}")
    if not np.isfinite(original).all():
        raise GateMissed("expected finite outputs on random inputs, the original's are not; train it again")
    if _are_probabilities(original) and _are_probabilities(new):
        original, new = (np.log(np.maximum(outputs.astype(np.float64), SMALLEST)) for outputs in (original, new))
        # The logarithm of a sigmoid near 1 is little more than rounding.
        largest = max(float(np.abs(original).max()), 1.0)
    else:
        largest = float(np.abs(original).max()) or 1.0
    difference = float(np.abs(original.astype(np.float64) - new).max()) / largest
    # Also false for a difference that is not a number.
    if not difference <= tolerance:
        raise GateMissed(
            f"the new file answers differently on {len(new)} random inputs: by {difference:.2g} of the largest output,"
            f" expected at most {tolerance:g}; please report it with the file"
        )
    return difference


def _are_probabilities(outputs: NDArray[Any]) -> bool:
    """Return whether outputs are those of a softmax, or of a sigmoid, which is never 0."""
    if not (outputs.min() >= 0 and outputs.max() <= 1):
        return False
    return bool((outputs > 0).all() or np.allclose(outputs.sum(axis=-1), 1, atol=1e-2))
