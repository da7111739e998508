"""Fused activations, as the lowest and highest value that an operator may store.

LiteRT's own kernels and XNNPACK round the bounds differently; results differ where 6 is half way between two steps.
"""

import math
from typing import Literal

import numpy as np

from edgedigits_exporters.microcontroller.graph import Tensor
from edgedigits_runtime.errors import ArtifactUnsupported
from edgedigits_runtime.untrusted.tflite_model import StoredOperator

Kernels = Literal["xnnpack", "reference"]
"""The kernels of LiteRT whose rounding the C code follows: its usual path, or its reference kernels."""

LOWEST, HIGHEST = -128, 127
MOST_STEPS = 1e6
"""Steps that leave int8 from any zero point."""
BOUNDS = {
    "NONE": (None, None),
    "RELU": (0.0, None),
    "RELU_N1_TO_1": (-1.0, 1.0),
    "RELU6": (0.0, 6.0),
}
"""Real bounds by name, in the order of the schema's ActivationFunctionType."""


def fused_activation(operator: StoredOperator) -> str:
    """Return the name of an operator's fused activation.

    Raises:
        ArtifactUnsupported: an activation that is not a clamp.
    """
    number: int = (operator.options.values or {}).get("fused_activation_function", 0)
    if not 0 <= number < len(BOUNDS):
        name = {4: "TANH", 5: "SIGN_BIT"}.get(number, f"number {number}")
        raise ArtifactUnsupported(f"{operator.where} has the fused activation {name}, expected {', '.join(BOUNDS)}")
    return list(BOUNDS)[number]


def limits(name: str, output: Tensor, kernels: Kernels) -> tuple[int, int]:
    """Return the lowest and the highest stored value of a named activation.

    Source: CalculateActivationRangeQuantized in tensorflow/lite/kernels/kernel_util.cc; xnn_qs8_quantize in XNNPACK.
    """
    quantize = _nearest if kernels == "xnnpack" else _away_from_zero
    low, high = BOUNDS[name]
    lowest = LOWEST if low is None else max(LOWEST, quantize(low, output))
    highest = HIGHEST if high is None else min(HIGHEST, quantize(high, output))
    return lowest, highest


def _away_from_zero(value: float, output: Tensor) -> int:
    """Quantize as TfLiteRound does: in float32, half away from zero, before the zero point is added."""
    steps = math.floor(abs(_steps(value, output)) + 0.5)
    return output.zero_point + (steps if value > 0 else -steps)


def _nearest(value: float, output: Tensor) -> int:
    """Quantize as XNNPACK does: in float32, half to even, after the zero point is added."""
    return int(np.rint(np.float32(_steps(value, output)) + np.float32(output.zero_point)))


def _steps(value: float, output: Tensor) -> float:
    with np.errstate(over="ignore"):
        quotient = float(np.float32(value) / np.float32(output.scale))
    return max(-MOST_STEPS, min(quotient, MOST_STEPS))
