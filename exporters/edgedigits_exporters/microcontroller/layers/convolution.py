"""CONV_2D and FULLY_CONNECTED."""

import math

from edgedigits_exporters.microcontroller.activations import Kernels
from edgedigits_exporters.microcontroller.graph import Convolution, Operator
from edgedigits_exporters.microcontroller.layers import dense_reference, requantization
from edgedigits_exporters.microcontroller.layers.layer import (
    Layer,
    Place,
    Source,
    described,
    rows_read,
    window_fields,
)
from edgedigits_exporters.microcontroller.writing import literals

AXES = (1, 2, 3)
"""Along which the weights of an output channel lie."""

LANES = 32
"""What the C code rounds patches up to where compilers have vectors."""


def lower(operator: Operator, sources: tuple[Source, ...], kernels: Kernels) -> Layer:
    """Return a convolution as C.

    Raises:
        ArtifactUnsupported: sums too large to round.
    """
    assert isinstance(operator, Convolution)
    if operator.weights_zero_point or (operator.name == "FULLY_CONNECTED" and kernels == "reference"):
        return dense_reference.lower(operator, sources, kernels)
    (source,) = sources
    window = operator.window
    length = math.prod(operator.weights.shape[1:])
    requantization.require_small_results(operator, AXES)

    def define(place: Place) -> str:
        looked_at = window_fields(source, window, place.input_rows[0], operator.output)
        numbers = fields(operator, place.number, looked_at, place.rows, kernels)
        return "\n".join(
            [
                arrays(operator, place.number, kernels),
                literals.structure("convolution", f"layer_{place.number}", numbers),
            ]
        )

    return Layer(
        kernels=(
            *("words", "window", "gather", "products", *requantization.KERNELS[kernels]),
            *("convolution", "convolution_row"),
        ),
        steps=operator.output.shape[0],
        reads=(rows_read(source, window),),
        structure="convolution",
        define=define,
        call="convolve_row(layer, {input}, y, {output}, {patch});",
        comment=f"{operator.name}: {described(operator.inputs[0])} to {described(operator.output)}, "
        f"window {window.size[0]}x{window.size[1]}, stride {window.stride[0]}x{window.stride[1]}",
        patch_bytes=2 * length,
        wide_patch_bytes=wide_patches_bytes(length),
    )


def arrays(operator: Convolution, number: int | str, kernels: Kernels) -> str:
    """Return the definitions of the weights, and of what turns sums into stored values."""
    return "\n".join(
        [
            literals.array("int8_t", f"weights_{number}", operator.weights, spare="SPARE"),
            requantization.constants(operator, AXES, number, kernels),
        ]
    )


def fields(operator: Convolution, number: int | str, window: str, rows: int, kernels: Kernels) -> dict[str, str]:
    """Return the fields of a C convolution; `window` is the initialiser of its input_window."""
    _, width, channels = operator.output.shape
    return {
        "in": window,
        "width": str(width),
        "channels": str(channels),
        "rows": str(rows),
        "weights": f"weights_{number}",
        "to": requantization.fields(operator, number, kernels),
    }


def wide_patches_bytes(length: int) -> int:
    """Return what two patches take where several values are multiplied at once.

    Dual multiplies take 16-bit values, made of the bytes of one patch; vectors take bytes, with zeros at the end.
    """
    dual = 4 * (-(-length // 4) * 4) + length
    return max(dual, 2 * (-(-length // LANES) * LANES))
