"""ADD of two tensors."""

import math
from dataclasses import dataclass

import numpy as np

from edgedigits_exporters.microcontroller.activations import Kernels, limits
from edgedigits_exporters.microcontroller.graph import Add, Operator
from edgedigits_exporters.microcontroller.layers.fixed_point import fixed_point
from edgedigits_exporters.microcontroller.layers.layer import (
    STORED,
    Layer,
    Place,
    Source,
    described,
    refused,
    resident_rows,
    rows_read,
)
from edgedigits_exporters.microcontroller.writing import literals

KERNELS = {"xnnpack": ("limited", "add_xnnpack"), "reference": ("limited", "round_reference", "add_reference")}
"""Files under kernels/."""

SMALLEST_RATIO, LARGEST_RATIO = 2.0**-10, 2.0**8
"""XNNPACK leaves an ADD to other kernels where an input's scale over the output's is below, or not below, these."""
MULTIPLIER_BITS = 20
REFERENCE_SHIFT = 20
"""LiteRT's reference kernel multiplies the inputs by 2 to the power of this before it scales them."""


def lower(operator: Operator, sources: tuple[Source, ...], kernels: Kernels) -> Layer:
    """Return a sum as C."""
    assert isinstance(operator, Add)
    height, width, channels = operator.output.shape
    low, high = limits(operator.activation, operator.output, kernels)
    scaling = xnnpack_fields(operator) if kernels == "xnnpack" else reference_fields(operator)

    def define(place: Place) -> str:
        rows = [resident_rows(*pair) for pair in zip(sources, place.input_rows, strict=True)]
        fields = {
            "length": str(width * channels),
            "first_rows": str(rows[0]),
            "second_rows": str(rows[1]),
            "rows": str(place.rows),
            **scaling,
            "low": str(low + STORED),
            "high": str(high + STORED),
        }
        return literals.structure("addition", f"layer_{place.number}", fields)

    first, second = (described(tensor) for tensor in operator.inputs)
    return Layer(
        kernels=KERNELS[kernels],
        steps=height,
        reads=tuple(rows_read(source) for source in sources),
        structure="addition",
        define=define,
        call="add_row(layer, {inputs}, y, {output});",
        comment=f"{operator.name}: {first} and {second} to {described(operator.output)}",
    )


def xnnpack_fields(operator: Add) -> dict[str, str]:
    """Return the scaling of the C structure for XNNPACK's rounding.

    Source: xnn_init_qs8_add_minmax_scalar_params in XNNPACK. There the sum may be negative; here a whole number of
    steps is added before the shift and taken off behind it.

    Raises:
        ArtifactUnsupported: scales with which XNNPACK leaves the sum to other kernels.
    """
    made = operator.output
    ratios = [np.float32(tensor.scale) / np.float32(made.scale) for tensor in operator.inputs]
    if not all(SMALLEST_RATIO <= ratio < LARGEST_RATIO for ratio in ratios):
        raise refused(
            operator,
            f"changes scales by factors of {ratios[0]:.6g} and {ratios[1]:.6g}, and XNNPACK computes only those from"
            f" {SMALLEST_RATIO:g} to {LARGEST_RATIO:g}; use --kernels reference, or convert the model again",
        )
    shift = MULTIPLIER_BITS + 1 - math.frexp(max(ratios))[1]
    multipliers = [int(np.rint(np.ldexp(np.float64(ratio), shift))) for ratio in ratios]
    zeros = [tensor.zero_point + STORED for tensor in operator.inputs]
    bias = (1 << (shift - 1)) - sum(m * zero for m, zero in zip(multipliers, zeros, strict=True))
    added = max(0, -(bias >> shift))
    return {
        "bias": str(bias + (added << shift)),
        "first": str(multipliers[0]),
        "second": str(multipliers[1]),
        "shift": str(shift),
        "offset": str(made.zero_point + STORED - added),
    }


@dataclass(frozen=True)
class _Scaling:
    """A C `scaling`."""

    zero: int
    scale: float

    def text(self) -> str:
        multiplier, shift = fixed_point(self.scale)
        return f"{{.zero = {self.zero + STORED}, .multiplier = {multiplier}, .shift = {-shift}}}"


def reference_fields(operator: Add) -> dict[str, str]:
    """Return the scalings of the C structure for the rounding of the reference kernels.

    Source: PrepareGeneralAddOp in tensorflow/lite/kernels/add.cc.

    Raises:
        ArtifactUnsupported: an output's scale so small that LiteRT stops.
    """
    first, second, made = (float(np.float32(tensor.scale)) for tensor in (*operator.inputs, operator.output))
    common = 2 * max(first, second)
    ratio = common / (2.0**REFERENCE_SHIFT * made)
    if ratio >= 1:
        raise refused(
            operator,
            f"has an output scale of {made:.6g} for inputs of {first:.6g} and {second:.6g}, too small for LiteRT; "
            "calibrate the model with pictures like those that it will see",
        )
    a, b = operator.inputs
    return {
        "first": _Scaling(a.zero_point, first / common).text(),
        "second": _Scaling(b.zero_point, second / common).text(),
        "output": _Scaling(operator.output.zero_point, ratio).text(),
    }
