"""MEAN over height and width."""

import numpy as np

from edgedigits_exporters.microcontroller.activations import Kernels
from edgedigits_exporters.microcontroller.graph import Operator
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
from edgedigits_exporters.microcontroller.layers.requantization import LARGEST_RESULT
from edgedigits_exporters.microcontroller.writing import literals

KERNELS = {
    "xnnpack": ("limited", "round_xnnpack", "mean_xnnpack"),
    "reference": ("limited", "round_reference", "scale_reference", "mean_reference"),
}
"""Files under kernels/."""


def lower(operator: Operator, sources: tuple[Source, ...], kernels: Kernels) -> Layer:
    """Return a mean as C."""
    (source,) = sources
    height, width, channels = source.tensor.shape
    require_small_results(operator)
    rounding = xnnpack_fields(operator) if kernels == "xnnpack" else reference_fields(operator)

    def define(place: Place) -> str:
        return literals.structure("mean", f"layer_{place.number}", {
            "height": str(height), "width": str(width), "channels": str(channels),
            "rows": str(resident_rows(source, place.input_rows[0])), **rounding,
        })  # fmt: skip

    return Layer(
        kernels=KERNELS[kernels],
        steps=height,
        reads=(rows_read(source),),
        structure="mean",
        define=define,
        call="mean_row(layer, {input}, y, {output}, {kept});",
        comment=f"{operator.name}: {described(operator.inputs[0])} to {described(operator.output)}",
        kept_bytes=4 * channels,
    )


def xnnpack_fields(operator: Operator) -> dict[str, str]:
    """Return what a sum of stored values is multiplied by, and what is added: float32 at every step, as XNNPACK."""
    source, count = operator.inputs[0], np.float32(operator.inputs[0].shape[0] * operator.inputs[0].shape[1])
    ratio = np.float32(source.scale) / np.float32(operator.output.scale)
    scale = np.float32(ratio * (np.float32(1) / count))
    zeros = np.float32(source.zero_point) * count
    offset = np.float32(np.float32(operator.output.zero_point) - zeros * scale)
    return {"scale": literals.number(scale), "offset": literals.number(offset)}


def reference_fields(operator: Operator) -> dict[str, str]:
    """Return the scaling of a sum, in whole numbers.

    Source: QuantizedMeanOrSum in tensorflow/lite/kernels/internal/reference/reduce.h: the multiplier itself is divided
    by the count, and the rest cut off.
    """
    source, made = operator.inputs[0], operator.output
    count = source.shape[0] * source.shape[1]
    multiplier, shift = fixed_point(float(np.float32(source.scale)) / float(np.float32(made.scale)))
    spare = min(count.bit_length() - 1, 32, 31 + shift)
    return {
        "zeros": str(count * (source.zero_point + STORED)),
        "multiplier": str((multiplier << spare) // count),
        "shift": str(shift - spare),
        "zero": str(made.zero_point + STORED),
    }


def require_small_results(operator: Operator) -> None:
    """Refuse scales with which a mean is too large to round.

    Raises:
        ArtifactUnsupported: such scales.
    """
    largest = 255 * operator.inputs[0].scale / operator.output.scale
    if largest >= LARGEST_RESULT:
        raise refused(
            operator,
            f"may come to {largest:.3g} steps of its output's scale before it is limited to int8, expected below"
            f" {LARGEST_RESULT}; calibrate the model with pictures like those that it will see",
        )
