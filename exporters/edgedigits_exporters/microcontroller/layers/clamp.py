"""QUANTIZE from int8 to int8, RELU and RELU6: what each of the 256 values becomes is computed here."""

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters.microcontroller.activations import HIGHEST, LOWEST, Kernels, limits
from edgedigits_exporters.microcontroller.graph import Clamp, Operator
from edgedigits_exporters.microcontroller.layers.fixed_point import fixed_point, scaled
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

VALUES = np.arange(LOWEST, HIGHEST + 1)
SMALLEST_RATIO, LARGEST_RATIO = 2.0**-8, 2.0**7
"""XNNPACK leaves a QUANTIZE to other kernels where the input's scale over the output's is beyond these."""


def lower(operator: Operator, sources: tuple[Source, ...], kernels: Kernels) -> Layer:
    """Return a change of scale as C."""
    assert isinstance(operator, Clamp)
    (source,) = sources
    table = table_of(operator, kernels)
    height, width, channels = operator.output.shape

    def define(place: Place) -> str:
        fields = {
            "length": str(width * channels),
            "input_rows": str(resident_rows(source, place.input_rows[0])),
            "rows": str(place.rows),
            "table": f"table_{place.number}",
        }
        return "\n".join(
            [
                literals.array("uint8_t", f"table_{place.number}", table + STORED),
                literals.structure("lookup", f"layer_{place.number}", fields),
            ]
        )

    return Layer(
        kernels=("lookup",),
        steps=height,
        reads=(rows_read(source),),
        structure="lookup",
        define=define,
        call="lookup_row(layer, {input}, y, {output});",
        comment=f"{operator.name}: {described(operator.inputs[0])} to {described(operator.output)}",
    )


def is_identity(operator: Clamp, kernels: Kernels) -> bool:
    """Return whether every value stays as it is."""
    return bool(np.array_equal(table_of(operator, kernels), VALUES))


def table_of(operator: Clamp, kernels: Kernels) -> NDArray[np.int64]:
    """Return int [256]: what the values -128, -127, ... become.

    Raises:
        ArtifactUnsupported: types or scales with which XNNPACK leaves a QUANTIZE to other kernels.
    """
    if operator.name == "QUANTIZE" and kernels == "xnnpack":
        return _xnnpack_table(operator)
    (taken,), made = operator.inputs, operator.output
    ratio = float(np.float32(taken.scale)) / float(np.float32(made.scale))
    if operator.name != "QUANTIZE":
        # ReluPrepare in tensorflow/lite/kernels/activations.cc rounds it; XNNPACK leaves these to LiteRT.
        ratio = float(np.float32(ratio))
    results = scaled(VALUES - taken.zero_point, *fixed_point(ratio)) + made.zero_point
    return clipped(results, limits(operator.activation, made, "reference"))


def clipped(values: NDArray[np.int64], bounds: tuple[int, int]) -> NDArray[np.int64]:
    """Return values within bounds."""
    return np.minimum(np.maximum(values, bounds[0]), bounds[1])


def _xnnpack_table(operator: Clamp) -> NDArray[np.int64]:
    (taken,), made = operator.inputs, operator.output
    if not operator.all_int8:
        if (taken.scale, taken.zero_point) == (made.scale, made.zero_point):
            return VALUES
        raise refused(
            operator,
            "changes the scale or the zero point between uint8 and int8, which XNNPACK leaves to kernels that answer"
            " differently on each processor; use --kernels reference, or convert the model with an int8 border",
        )
    ratio = np.float32(taken.scale) / np.float32(made.scale)
    if not SMALLEST_RATIO <= ratio <= LARGEST_RATIO:
        raise refused(
            operator,
            f"changes the scale by a factor of {ratio:.6g}, and XNNPACK computes only those from {SMALLEST_RATIO:g} to"
            f" {LARGEST_RATIO:g}; use --kernels reference, or convert the model again",
        )
    # xnn_init_qs8_cvt_scalar_params: eight bits behind the point, half up.
    multiplier = int(np.rint(np.float32(256) * ratio))
    results = ((made.zero_point << 8) + 128 + (VALUES - taken.zero_point) * multiplier) >> 8
    return clipped(results, (LOWEST, HIGHEST))
