"""ADD of two activations of one shape."""

import math
from dataclasses import dataclass

import numpy as np

from edgedigits_exporters.microcontroller import literals
from edgedigits_exporters.microcontroller.activation_limits import Kernels, fused_activation, limits
from edgedigits_exporters.microcontroller.fixed_point import fixed_point
from edgedigits_exporters.microcontroller.graph import Operator
from edgedigits_exporters.microcontroller.layer import (
    STORED,
    Layer,
    Place,
    Source,
    refused,
    resident_rows,
    rows_read,
    summary,
)
from edgedigits_exporters.microcontroller.values import Values, format_sides
from edgedigits_runtime.errors import ArtifactUnsupported
from edgedigits_runtime.untrusted.tflite_model import StoredOperator

KERNELS = {"xnnpack": ("limited", "add_xnnpack"), "reference": ("limited", "round_reference", "add_reference")}
"""C files."""

SMALLEST_RATIO, LARGEST_RATIO = 2.0**-10, 2.0**8
"""XNNPACK leaves an ADD to other kernels unless each input's scale over the output's is in this range, end excluded."""
MULTIPLIER_BITS = 20
REFERENCE_SHIFT = 20
"""LiteRT's reference kernel multiplies the inputs by 2 to the power of this before it scales them."""


@dataclass(frozen=True)
class Add(Operator):
    """ADD of two tensors of one shape."""

    activation: str


def parse(operator: StoredOperator, values: Values) -> Add:
    """Return a sum."""
    first, second = values.activation(operator, 0), values.activation(operator, 1)
    if first.shape != second.shape:
        raise ArtifactUnsupported(
            f"{operator.where} adds {format_sides(first.shape)} and {format_sides(second.shape)}, and broadcasting is"
            " not supported; give both the same shape"
        )
    output = values.make(operator)
    return Add(operator.name, operator.position, (first, second), output, fused_activation(operator))


def lower(operator: Add, sources: tuple[Source, ...], kernels: Kernels) -> Layer:
    """Return a sum as C.

    Raises:
        ArtifactUnsupported: scales that LiteRT's kernels do not support.
    """
    height, width, channels = operator.output.shape
    low, high = limits(operator.activation, operator.output, kernels)
    scaling = _xnnpack_fields(operator) if kernels == "xnnpack" else _reference_fields(operator)

    def define(place: Place) -> str:
        first, second = (resident_rows(*pair) for pair in zip(sources, place.input_rows, strict=True))
        return literals.structure("addition", f"layer_{place.number}", {
            "length": width * channels, "first_rows": first, "second_rows": second, "rows": place.rows, **scaling,
            "low": low + STORED, "high": high + STORED,
        })  # fmt: skip

    return Layer(
        kernels=KERNELS[kernels],
        steps=height,
        reads=tuple(rows_read(source) for source in sources),
        structure="addition",
        define=define,
        call="add_row(layer, {inputs}, y, {output});",
        comment=summary(operator),
    )


def _xnnpack_fields(operator: Add) -> dict[str, object]:
    """Return the scaling of the C structure for XNNPACK's rounding.

    Source: xnn_init_qs8_add_minmax_scalar_params in XNNPACK. There the sum may be negative; here whole steps are added
    before the shift and subtracted after it.
    """
    output = operator.output
    ratios = [np.float32(tensor.scale) / np.float32(output.scale) for tensor in operator.inputs]
    if not all(SMALLEST_RATIO <= ratio < LARGEST_RATIO for ratio in ratios):
        raise refused(
            operator,
            f"changes scales by factors of {ratios[0]:.6g} and {ratios[1]:.6g}, and XNNPACK supports {SMALLEST_RATIO:g}"
            f" to {LARGEST_RATIO:g}; use --kernels reference, or convert the model again",
        )
    shift = MULTIPLIER_BITS + 1 - math.frexp(max(ratios))[1]
    multipliers = [int(np.rint(np.ldexp(np.float64(ratio), shift))) for ratio in ratios]
    zeros = [tensor.zero_point + STORED for tensor in operator.inputs]
    bias = (1 << (shift - 1)) - sum(m * zero for m, zero in zip(multipliers, zeros, strict=True))
    added = max(0, -(bias >> shift))
    return {
        "bias": bias + (added << shift),
        "first": multipliers[0],
        "second": multipliers[1],
        "shift": shift,
        "offset": output.zero_point + STORED - added,
    }


def _reference_fields(operator: Add) -> dict[str, object]:
    """Return the scalings of the C structure for the rounding of the reference kernels.

    Source: PrepareGeneralAddOp in tensorflow/lite/kernels/add.cc.
    """
    first, second, output = (float(np.float32(tensor.scale)) for tensor in (*operator.inputs, operator.output))
    common = 2 * max(first, second)
    ratio = common / (2.0**REFERENCE_SHIFT * output)
    if ratio >= 1:
        raise refused(
            operator,
            f"has an output scale of {output:.6g} for inputs of {first:.6g} and {second:.6g}, too small for LiteRT; "
            "calibrate the model with pictures like those in use",
        )
    a, b = operator.inputs
    return {
        "first": _scaling(a.zero_point, first / common),
        "second": _scaling(b.zero_point, second / common),
        "output": _scaling(operator.output.zero_point, ratio),
    }


def _scaling(zero_point: int, scale: float) -> str:
    """Return the initialiser of a C scaling."""
    multiplier, shift = fixed_point(scale)
    return f"{{.zero = {zero_point + STORED}, .multiplier = {multiplier}, .shift = {-shift}}}"
