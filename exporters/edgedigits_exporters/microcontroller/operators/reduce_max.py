"""REDUCE_MAX over height and width."""

from dataclasses import dataclass

from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.graph import Operator
from edgedigits_exporters.microcontroller.layer import Layer, Source, make_layer
from edgedigits_exporters.microcontroller.operators import mean
from edgedigits_exporters.microcontroller.values import Values, require_same_quantization
from edgedigits_runtime.untrusted.tflite_model import StoredOperator


@dataclass(frozen=True)
class ReduceMax(Operator):
    """REDUCE_MAX over height and width."""


def parse(operator: StoredOperator, values: Values) -> ReduceMax:
    """Return a global max pool, with or without the dimensions that it leaves at 1."""
    source, output = mean.parse_reduction(operator, values)
    require_same_quantization(operator, source, output)
    return ReduceMax(operator.name, operator.position, (source,), output)


def lower(operator: ReduceMax, sources: tuple[Source, ...], _kernels: Kernels) -> Layer:
    """Return a global max pool as C: its output grows with each row of the input."""
    height, width, channels = sources[0].tensor.shape
    return make_layer(
        operator, sources, ("reduce_max",), "reduce_max",
        lambda place: {"width": width, "channels": channels, "rows": place.input_rows[0]},
        "reduce_max_row(layer, {input}, y, {output});", steps=height,
    )  # fmt: skip
