"""PRELU."""

from dataclasses import dataclass

import numpy as np

from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.fixed_point import fixed_point
from edgedigits_exporters.microcontroller.layer import STORED, Layer, Source
from edgedigits_exporters.microcontroller.operands import BinaryOperator, binary_layer, parse_operands
from edgedigits_exporters.microcontroller.requantization import require_small
from edgedigits_exporters.microcontroller.values import Values
from edgedigits_runtime.untrusted.tflite_model import StoredOperator


@dataclass(frozen=True)
class Prelu(BinaryOperator):
    """PRELU: negative values of the first operand times the second."""


def parse(operator: StoredOperator, values: Values) -> Prelu:
    """Return a prelu."""
    return Prelu(**parse_operands(operator, values))


def lower(operator: Prelu, sources: tuple[Source, ...], _kernels: Kernels) -> Layer:
    """Return a prelu as C; XNNPACK leaves it to LiteRT.

    Source: PreluPrepare in tensorflow/lite/kernels/activations.cc.

    Raises:
        ArtifactUnsupported: scales with which results are too large to round.
    """
    source, alpha = operator.operands
    scale, slope, made = (np.float32(tensor.scale) for tensor in (source, alpha, operator.output))
    positive, negative = float(scale / made), float(scale * slope / made)
    require_small(operator, max(255 * positive, 255 * 255 * negative))
    kernels = ("limited", "operands", "round_reference", "scale_reference", "prelu")
    fields = {
        "first_zero": source.zero_point + STORED, "second_zero": alpha.zero_point + STORED,
        "zero": operator.output.zero_point + STORED, "positive": _factor(positive), "negative": _factor(negative),
    }  # fmt: skip
    return binary_layer(operator, sources, kernels, "prelu", "prelu_row", fields)


def _factor(scale: float) -> str:
    """Return the initialiser of a C factor."""
    return "{{.multiplier = {}, .shift = {}}}".format(*fixed_point(scale))
