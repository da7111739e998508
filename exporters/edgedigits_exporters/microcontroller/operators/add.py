"""ADD and SUB."""

import math
from dataclasses import dataclass

import numpy as np

from edgedigits_exporters.microcontroller.activation_limits import Kernels, limits
from edgedigits_exporters.microcontroller.fixed_point import fixed_point
from edgedigits_exporters.microcontroller.layer import STORED, Layer, Source, refused
from edgedigits_exporters.microcontroller.operands import BinaryOperator, binary_layer, parse_operands
from edgedigits_exporters.microcontroller.values import Values
from edgedigits_runtime.untrusted.tflite_model import StoredOperator

KERNELS = {
    "xnnpack": ("limited", "operands", "add_xnnpack"),
    "reference": ("limited", "operands", "round_reference", "add_reference"),
}
"""C files."""

SMALLEST_RATIO, LARGEST_RATIO = 2.0**-10, 2.0**8
"""XNNPACK leaves an ADD to other kernels unless each input's scale over the output's is in this range, end excluded."""
MULTIPLIER_BITS = 20
REFERENCE_SHIFT = 20
"""LiteRT's reference kernel multiplies the inputs by 2 to the power of this before it scales them."""


@dataclass(frozen=True)
class Add(BinaryOperator):
    """ADD, or SUB of the second operand."""


def parse(operator: StoredOperator, values: Values) -> Add:
    """Return a sum or a difference."""
    return Add(**parse_operands(operator, values))


def lower(operator: Add, sources: tuple[Source, ...], kernels: Kernels) -> Layer:
    """Return a sum or a difference as C.

    Raises:
        ArtifactUnsupported: scales that LiteRT's kernels do not support.
    """
    low, high = limits(operator.activation, operator.output, kernels)
    scaling = _xnnpack_fields(operator) if kernels == "xnnpack" else _reference_fields(operator)
    fields = {**scaling, "low": low + STORED, "high": high + STORED}
    return binary_layer(operator, sources, KERNELS[kernels], "addition", "add_row", fields)


def _xnnpack_fields(operator: Add) -> dict[str, object]:
    """Return the scaling of the C structure for XNNPACK's rounding.

    Source: xnn_init_qs8_add_minmax_scalar_params in XNNPACK. There the sum may be negative; here whole steps are added
    before the shift and subtracted after it.
    """
    output = operator.output
    ratios = [np.float32(operand.scale) / np.float32(output.scale) for operand in operator.operands]
    if not all(SMALLEST_RATIO <= ratio < LARGEST_RATIO for ratio in ratios):
        raise refused(
            operator,
            f"changes scales by factors of {ratios[0]:.6g} and {ratios[1]:.6g}, and XNNPACK supports {SMALLEST_RATIO:g}"
            f" to {LARGEST_RATIO:g}; use --kernels reference, or convert the model again",
        )
    shift = MULTIPLIER_BITS + 1 - math.frexp(max(ratios))[1]
    first, second = (int(np.rint(np.ldexp(np.float64(ratio), shift))) for ratio in ratios)
    if operator.name == "SUB":
        second = -second
    zeros = [operand.zero_point + STORED for operand in operator.operands]
    bias = (1 << (shift - 1)) - first * zeros[0] - second * zeros[1]
    added = max(0, -((bias + 255 * min(second, 0)) >> shift))
    return {
        "bias": bias + (added << shift),
        "first": first,
        "second": second,
        "shift": shift,
        "offset": output.zero_point + STORED - added,
    }


def _reference_fields(operator: Add) -> dict[str, object]:
    """Return the scalings of the C structure for the rounding of the reference kernels.

    Source: PrepareGeneralAddOp in tensorflow/lite/kernels/add.cc, and PrepareGeneralSubOp in sub.cc.
    """
    a, b = operator.operands
    first, second, output = (float(np.float32(tensor.scale)) for tensor in (a, b, operator.output))
    common = 2 * max(first, second)
    ratio = common / (2.0**REFERENCE_SHIFT * output)
    if ratio >= 1:
        raise refused(
            operator,
            f"has an output scale of {output:.6g} for inputs of {first:.6g} and {second:.6g}, too small for LiteRT; "
            "calibrate the model with pictures like those in use",
        )
    return {
        "first": _scaling(a.zero_point, first / common),
        "second": _scaling(b.zero_point, second / common),
        "sign": -1 if operator.name == "SUB" else 1,
        "output": _scaling(operator.output.zero_point, ratio),
    }


def _scaling(zero_point: int, scale: float) -> str:
    """Return the initialiser of a C scaling."""
    multiplier, shift = fixed_point(scale)
    return f"{{.zero = {zero_point + STORED}, .multiplier = {multiplier}, .shift = {-shift}}}"
