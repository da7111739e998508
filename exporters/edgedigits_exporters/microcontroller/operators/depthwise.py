"""DEPTHWISE_CONV_2D."""

from dataclasses import dataclass
from typing import ClassVar

from edgedigits_exporters.microcontroller import literals, requantization
from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.layer import Layer, Place, Source, rows_read, summary, window_fields
from edgedigits_exporters.microcontroller.values import Values, options_of
from edgedigits_exporters.microcontroller.weights import WeightedOperator, parse_weighted, parse_window
from edgedigits_runtime.untrusted.tflite_model import StoredOperator


@dataclass(frozen=True)
class Depthwise(WeightedOperator):
    """DEPTHWISE_CONV_2D: weights [1, kernel height, kernel width, output channels].

    Output channel c reads input channel c // multiplier.
    """

    axes: ClassVar = (0, 1, 2)

    multiplier: int


def parse(operator: StoredOperator, values: Values) -> Depthwise:
    """Return a depthwise convolution."""
    fields = parse_weighted(operator, values, axis=3)
    (source,), (_, height, width, _) = fields["inputs"], fields["weights"].shape
    window = parse_window(operator, source, (height, width))
    return Depthwise(window=window, multiplier=options_of(operator)["depth_multiplier"], **fields)


def lower(operator: Depthwise, sources: tuple[Source, ...], kernels: Kernels) -> Layer:
    """Return a depthwise convolution as C.

    Raises:
        ArtifactUnsupported: sums too large to round.
    """
    (source,) = sources
    window = operator.window
    requantization.require_small_results(operator)

    def define(place: Place) -> str:
        window_text = window_fields(source, window, place.input_rows[0], operator.output)
        numbers = fields(operator, place.number, window_text, place.rows, kernels)
        structure = literals.structure("depthwise", f"layer_{place.number}", numbers)
        return f"{arrays(operator, place.number, kernels)}\n{structure}"

    return Layer(
        kernels=("window", *requantization.KERNELS[kernels], "depthwise", "depthwise_row"),
        steps=operator.output.shape[0],
        reads=(rows_read(source, window),),
        structure="depthwise",
        define=define,
        call="depthwise_row(layer, {input}, y, {output});",
        comment=summary(operator, window),
        window_height=window.size[0],
    )


def arrays(operator: Depthwise, number: int | str, kernels: Kernels) -> str:
    """Return the definitions of the weights and of the constants of requantization."""
    weights = literals.array("int8_t", f"weights_{number}", operator.weights)
    return f"{weights}\n{requantization.constants(operator, number, kernels, folded=False)}"


def fields(operator: Depthwise, number: int | str, window: str, rows: int, kernels: Kernels) -> dict[str, object]:
    """Return the fields of a C depthwise; `window` is the initialiser of its input_window."""
    _, width, channels = operator.output.shape
    return {
        "in": window,
        "width": width,
        "channels": channels,
        "rows": rows,
        "multiplier": operator.multiplier,
        "weights": f"weights_{number}",
        "to": requantization.fields(operator, number, kernels),
    }
