"""The C text that computes a label and its confidence, as preprocessing.apply_temperature does."""

import numpy as np

from edgedigits_exporters.microcontroller.writing import literals
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.preprocessing import SMALLEST_PROBABILITY

FULL = 65535
"""What a probability of 1 is in the table: the confidence is exact to about 0.0001."""


def confidence_text(contract: Contract) -> str:
    """Return the labels, the threshold, and for each stored output what it weighs in the confidence."""
    labels = ", ".join(literals.string(label) for label in contract.labels)
    return "\n".join(
        [
            f"const char *const digits_labels[DIGITS_CLASSES] = {{{labels}}};",
            "",
            "/* For each stored output its probability to the power of 1 / temperature, in 65535ths. */",
            literals.array("uint16_t", "weight_of_output", weights_of_outputs(contract)),
            "",
            f"static const float rejection_threshold = {literals.number(contract.rejection_threshold)};",
        ]
    )


def weights_of_outputs(contract: Contract) -> np.ndarray:
    """Return uint16 [256]: what output value i - 128 weighs among the classes."""
    tensor = contract.output
    assert tensor.scale is not None and tensor.zero_point is not None
    stored = np.arange(256) - (128 if tensor.dtype == "int8" else 0)
    # A stored zero is taken as half a step, as apply_temperature does.
    floor = max(tensor.scale / 2, SMALLEST_PROBABILITY)
    probabilities = np.maximum((stored - tensor.zero_point) * tensor.scale, floor)
    weights = FULL * np.minimum(probabilities, 1) ** (1 / contract.temperature)
    return np.asarray(np.rint(weights), np.uint16)
