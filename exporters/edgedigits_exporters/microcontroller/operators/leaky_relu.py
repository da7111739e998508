"""LEAKY_RELU, as a table."""

from dataclasses import dataclass

import numpy as np

from edgedigits_exporters.microcontroller.activation_limits import HIGHEST, LOWEST, Kernels
from edgedigits_exporters.microcontroller.fixed_point import fixed_point, scaled
from edgedigits_exporters.microcontroller.graph import Operator
from edgedigits_exporters.microcontroller.requantization import require_small
from edgedigits_exporters.microcontroller.tables import VALUES, Table
from edgedigits_exporters.microcontroller.values import Values, options_of
from edgedigits_runtime.untrusted.tflite_model import StoredOperator

SMALLEST_RATIO, LARGEST_RATIO = 2.0**-8, 2.0**7
"""Range of the scales of both halves outside of which XNNPACK leaves a LEAKY_RELU to LiteRT."""


@dataclass(frozen=True)
class LeakyRelu(Operator):
    """LEAKY_RELU: negative values times alpha, of any sign."""

    alpha: float


def parse(operator: StoredOperator, values: Values) -> LeakyRelu:
    """Return a leaky relu."""
    source, output = values.activation(operator, 0), values.make(operator)
    return LeakyRelu(operator.name, operator.position, (source,), output, float(options_of(operator)["alpha"]))


def table_of(operator: LeakyRelu, kernels: Kernels) -> Table:
    """Return the results for the values -128, -127, ...

    Source: LeakyReluPrepare in tensorflow/lite/kernels/activations.cc; xnn_init_qs8_lrelu_scalar_params in XNNPACK.
    """
    (source,), output = operator.inputs, operator.output
    scale, alpha, made = (np.float32(number) for number in (source.scale, operator.alpha, output.scale))
    positive, values = scale / made, VALUES - source.zero_point
    negative = positive * alpha
    require_small(operator, 255 * float(max(positive, abs(negative))))
    if kernels == "xnnpack" and _is_delegated(positive, negative):
        # Eight bits after the point, half up.
        results = (np.where(values < 0, int(np.rint(256 * negative)), int(np.rint(256 * positive))) * values + 128) >> 8
    else:
        sign = -1 if alpha < 0 else 1
        below = sign * scaled(values, *fixed_point(float(scale * abs(alpha) / made)))
        results = np.where(values < 0, below, scaled(values, *fixed_point(float(positive))))
    clipped: Table = np.clip(results + output.zero_point, LOWEST, HIGHEST)
    return clipped


def _is_delegated(positive: np.float32, negative: np.float32) -> bool:
    """Whether XNNPACK computes it, by the scales of both halves (VisitUnaryNode in xnnpack_delegate.cc)."""
    smallest, largest = SMALLEST_RATIO, LARGEST_RATIO
    return bool(
        smallest <= positive <= largest and smallest <= abs(negative) and smallest - largest <= negative <= largest
    )
