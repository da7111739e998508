"""MUL."""

from dataclasses import dataclass

import numpy as np

from edgedigits_exporters.microcontroller import literals
from edgedigits_exporters.microcontroller.activation_limits import Kernels, limits
from edgedigits_exporters.microcontroller.fixed_point import fixed_point, scaled
from edgedigits_exporters.microcontroller.layer import STORED, Layer, Source, refused
from edgedigits_exporters.microcontroller.operands import BinaryOperator, binary_layer, parse_operands
from edgedigits_exporters.microcontroller.requantization import require_small
from edgedigits_exporters.microcontroller.tables import VALUES, Table, table_layer, table_of_function
from edgedigits_exporters.microcontroller.values import Values
from edgedigits_runtime.untrusted.tflite_model import StoredOperator

KERNELS = {
    "xnnpack": ("limited", "operands", "round_xnnpack", "mul_xnnpack"),
    "reference": ("limited", "operands", "round_reference", "scale_reference", "mul_reference"),
}
"""C files."""

SMALLEST_RATIO, LARGEST_RATIO = 2.0**-16, 2.0**8
"""XNNPACK leaves a MUL to other kernels unless the product of the scales over the output's is in this range, end
excluded."""


@dataclass(frozen=True)
class Mul(BinaryOperator):
    """MUL."""

    @property
    def ratio(self) -> np.float32:
        """Steps of the output for each unit of a product, float32 at every step as LiteRT computes them."""
        first, second = (np.float32(operand.scale) for operand in self.operands)
        return np.float32(first * second / np.float32(self.output.scale))


def parse(operator: StoredOperator, values: Values) -> Mul:
    """Return a product."""
    return Mul(**parse_operands(operator, values))


def lower(operator: Mul, sources: tuple[Source, ...], kernels: Kernels) -> Layer | None:
    """Return a product as C; a square as a table.

    Raises:
        ArtifactUnsupported: scales that LiteRT's kernels do not support, or with which results are too large to round.
    """
    if kernels == "xnnpack" and not SMALLEST_RATIO <= operator.ratio < LARGEST_RATIO:
        raise refused(
            operator,
            f"changes scales by a factor of {operator.ratio:.6g}, and XNNPACK supports {SMALLEST_RATIO:g} to"
            f" {LARGEST_RATIO:g}; use --kernels reference, or convert the model again",
        )
    first, second = operator.operands
    require_small(operator, 255 * 255 * float(operator.ratio))
    if first is second:
        return table_layer(operator, sources[0], table_of_squares(operator, kernels))
    low, high = limits(operator.activation, operator.output, kernels)
    multiplier, shift = fixed_point(float(operator.ratio))
    scaling: dict[str, object] = (
        {"scale": literals.number(operator.ratio)}
        if kernels == "xnnpack"
        else {"multiplier": multiplier, "shift": shift}
    )
    fields = {
        "first_zero": first.zero_point + STORED, "second_zero": second.zero_point + STORED, **scaling,
        "zero": operator.output.zero_point + STORED, "low": low + STORED, "high": high + STORED,
    }  # fmt: skip
    return binary_layer(operator, sources, KERNELS[kernels], "product", "multiply_row", fields)


def table_of_squares(operator: Mul, kernels: Kernels) -> Table:
    """Return the products of the values -128, -127, ... with themselves, for which XNNPACK has another kernel."""
    if kernels == "xnnpack":
        squares = table_of_function(operator, np.square, kernels)
    else:
        factors = VALUES - operator.inputs[0].zero_point
        squares = scaled(factors * factors, *fixed_point(float(operator.ratio))) + operator.output.zero_point
    clipped: Table = np.clip(squares, *limits(operator.activation, operator.output, kernels))
    return clipped
