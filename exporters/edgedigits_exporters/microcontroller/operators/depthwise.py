"""DEPTHWISE_CONV_2D."""

from dataclasses import dataclass
from typing import ClassVar

from edgedigits_exporters.microcontroller import requantization
from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.layer import Layer, Source
from edgedigits_exporters.microcontroller.values import Values, options_of
from edgedigits_exporters.microcontroller.weights import WeightedOperator, parse_weighted, parse_window
from edgedigits_runtime.untrusted.tflite_model import StoredOperator


@dataclass(frozen=True)
class Depthwise(WeightedOperator):
    """DEPTHWISE_CONV_2D: weights [1, kernel height, kernel width, output channels].

    Output channel c reads input channel c // multiplier.
    """

    axes: ClassVar = (0, 1, 2)
    folded: ClassVar = False

    multiplier: int

    @property
    def own_fields(self) -> dict[str, object]:
        return {"multiplier": self.multiplier}


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
    files = ("words", "window", *requantization.KERNELS[kernels], "depthwise", "depthwise_row")
    return requantization.weighted_layer(
        operator, sources, kernels, files, "depthwise", "depthwise_row(layer, {input}, y, {output});",
        window_height=operator.window.size[0],
    )  # fmt: skip
