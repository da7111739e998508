"""Activations that are fused into an operator."""

from edgedigits_exporters.microcontroller.activations import BOUNDS
from edgedigits_exporters.microcontroller.reading.stored import StoredOperator
from edgedigits_runtime.errors import ArtifactUnsupported

NUMBERS = {0: "NONE", 1: "RELU", 2: "RELU_N1_TO_1", 3: "RELU6", 4: "TANH", 5: "SIGN_BIT"}
"""ActivationFunctionType of the schema."""


def fused_activation(operator: StoredOperator) -> str:
    """Return the name of an operator's fused activation.

    Raises:
        ArtifactUnsupported: an activation that is no clamp.
    """
    number = operator.options["fusedActivationFunction"]
    name = NUMBERS.get(number, f"number {number}")
    if name not in BOUNDS:
        raise ArtifactUnsupported(
            f"{operator.where} has the fused activation {name}, known: {', '.join(BOUNDS)}; use one of these"
        )
    return name
