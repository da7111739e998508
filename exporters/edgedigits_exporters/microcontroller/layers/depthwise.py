"""DEPTHWISE_CONV_2D."""

from edgedigits_exporters.microcontroller.activations import Kernels
from edgedigits_exporters.microcontroller.graph import Depthwise, Operator
from edgedigits_exporters.microcontroller.layers import requantization
from edgedigits_exporters.microcontroller.layers.layer import (
    Layer,
    Place,
    Source,
    described,
    rows_read,
    window_fields,
)
from edgedigits_exporters.microcontroller.writing import literals

AXES = (0, 1, 2)
"""Along which the weights of an output channel lie."""


def lower(operator: Operator, sources: tuple[Source, ...], kernels: Kernels) -> Layer:
    """Return a depthwise convolution as C.

    Raises:
        ArtifactUnsupported: sums too large to round.
    """
    assert isinstance(operator, Depthwise)
    (source,) = sources
    window = operator.window
    requantization.require_small_results(operator, AXES)

    def define(place: Place) -> str:
        looked_at = window_fields(source, window, place.input_rows[0], operator.output)
        numbers = fields(operator, place.number, looked_at, place.rows, kernels)
        return "\n".join(
            [
                arrays(operator, place.number, kernels),
                literals.structure("depthwise", f"layer_{place.number}", numbers),
            ]
        )

    return Layer(
        kernels=("window", *requantization.KERNELS[kernels], "depthwise", "depthwise_row"),
        steps=operator.output.shape[0],
        reads=(rows_read(source, window),),
        structure="depthwise",
        define=define,
        call="depthwise_row(layer, {input}, y, {output});",
        comment=f"{operator.name}: {described(operator.inputs[0])} to {described(operator.output)}, "
        f"window {window.size[0]}x{window.size[1]}, stride {window.stride[0]}x{window.stride[1]}",
        window_height=window.size[0],
    )


def arrays(operator: Depthwise, number: int | str, kernels: Kernels) -> str:
    """Return the definitions of the weights, and of what turns sums into stored values."""
    return "\n".join(
        [
            literals.array("int8_t", f"weights_{number}", operator.weights),
            requantization.constants(operator, AXES, number, kernels, folded=False),
        ]
    )


def fields(operator: Depthwise, number: int | str, window: str, rows: int, kernels: Kernels) -> dict[str, str]:
    """Return the fields of a C depthwise; `window` is the initialiser of its input_window."""
    _, width, channels = operator.output.shape
    return {
        "in": window,
        "width": str(width),
        "channels": str(channels),
        "rows": str(rows),
        "multiplier": str(operator.multiplier),
        "weights": f"weights_{number}",
        "to": requantization.fields(operator, number, kernels),
    }
