"""PRELU."""

from dataclasses import dataclass

import numpy as np

from edgedigits_exporters.microcontroller import literals
from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.fixed_point import fixed_point
from edgedigits_exporters.microcontroller.layer import STORED, Layer, Place, Source, summary
from edgedigits_exporters.microcontroller.operands import (
    BinaryOperator,
    constant_array,
    operand_reads,
    operands_call,
    operands_fields,
    parse_operands,
)
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

    def define(place: Place) -> str:
        return constant_array(operator, place.number) + literals.structure("prelu", f"layer_{place.number}", {
            "of": operands_fields(operator, sources, place), "first_zero": source.zero_point + STORED,
            "second_zero": alpha.zero_point + STORED, "zero": operator.output.zero_point + STORED,
            "positive": _factor(positive), "negative": _factor(negative),
        })  # fmt: skip

    return Layer(
        kernels=("limited", "operands", "round_reference", "scale_reference", "prelu"),
        steps=operator.output.shape[0],
        reads=operand_reads(operator, sources),
        structure="prelu",
        define=define,
        call=operands_call(operator, "prelu_row"),
        comment=summary(operator),
    )


def _factor(scale: float) -> str:
    """Return the initialiser of a C factor."""
    return "{{.multiplier = {}, .shift = {}}}".format(*fixed_point(scale))
