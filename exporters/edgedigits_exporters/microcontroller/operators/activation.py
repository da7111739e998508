"""LOGISTIC, TANH and GELU, as tables."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.graph import Operator
from edgedigits_exporters.microcontroller.operators.softmax import exponential
from edgedigits_exporters.microcontroller.tables import Floats, Table, c_function, table_of_function
from edgedigits_exporters.microcontroller.values import Values, options_of
from edgedigits_runtime.errors import ArtifactUnsupported
from edgedigits_runtime.untrusted.tflite_model import StoredOperator

LOGISTIC_SCALE = 1 / 256
"""Scale of an int8 LOGISTIC's output (SigmoidPrepare in tensorflow/lite/kernels/activations.cc)."""
FURTHEST = 80
"""Distance from 0 beyond which LOGISTIC is 0 or 1, and within which `exponential` is exact."""
HALF, ONE, CUBIC = np.float32(0.5), np.float32(1), np.float32(0.044715)


@dataclass(frozen=True)
class Activation(Operator):
    """LOGISTIC, TANH or GELU.

    Args:
        is_approximate: whether GELU is computed by TANH.
    """

    is_approximate: bool = False


def parse(operator: StoredOperator, values: Values) -> Activation:
    """Return an activation."""
    source, output = values.activation(operator, 0), values.make(operator)
    if operator.name == "LOGISTIC" and output.scale != LOGISTIC_SCALE:
        raise ArtifactUnsupported(
            f"{operator.where} makes values of scale {output.scale:.6g}, expected 1/256, which LiteRT requires too;"
            " convert the model again"
        )
    is_approximate = operator.name == "GELU" and options_of(operator)["approximate"]
    return Activation(operator.name, operator.position, (source,), output, is_approximate)


def table_of(operator: Activation, kernels: Kernels) -> Table:
    """Return the results for the values -128, -127, ...; XNNPACK leaves GELU to LiteRT."""
    rounding: Kernels = "reference" if operator.name == "GELU" else kernels
    return table_of_function(operator, _function(operator, kernels), rounding)


def _function(operator: Activation, kernels: Kernels) -> Callable[[Floats], Floats]:
    if operator.name == "LOGISTIC":
        return _logistic_in_double if kernels == "xnnpack" else _logistic
    if operator.name == "TANH":
        return c_function("tanhf")
    return _approximate_gelu if operator.is_approximate else _gelu


def _logistic(x: Floats) -> Floats:
    """Source: SigmoidPrepare in tensorflow/lite/kernels/activations.cc."""
    return ONE / (ONE + exponential(-np.clip(x, -FURTHEST, FURTHEST)))


def _logistic_in_double(x: Floats) -> Floats:
    """Source: SigmoidOp in XNNPACK's src/reference/unary-elementwise.cc."""
    powers = np.exp(np.clip(x, -FURTHEST, FURTHEST).astype(np.float64))
    return np.asarray(powers / (1 + powers), np.float32)


def _gelu(x: Floats) -> Floats:
    """Source: GeluTransform in tensorflow/lite/kernels/internal/reference/gelu.h."""
    return HALF * x * c_function("erfcf")(x * np.float32(-math.sqrt(0.5)))


def _approximate_gelu(x: Floats) -> Floats:
    """Source: GeluTransformApproximate in the same file."""
    return HALF * x * (ONE + c_function("tanhf")(np.float32(math.sqrt(2 / math.pi)) * (x + CUBIC * x * x * x)))
