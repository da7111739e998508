"""MAX_POOL_2D and AVERAGE_POOL_2D."""

from dataclasses import dataclass

from edgedigits_exporters.microcontroller.activation_limits import Kernels, fused_activation, limits
from edgedigits_exporters.microcontroller.graph import WindowedOperator
from edgedigits_exporters.microcontroller.layer import (
    STORED,
    Layer,
    Place,
    Source,
    make_layer,
    rows_read,
    summary,
    window_fields,
)
from edgedigits_exporters.microcontroller.values import Values, options_of, require_same_quantization
from edgedigits_exporters.microcontroller.weights import parse_window
from edgedigits_runtime.untrusted.tflite_model import StoredOperator

STRUCTURES = {"MAX_POOL_2D": "max_pool", "AVERAGE_POOL_2D": "average_pool"}
"""C types, functions and files."""


@dataclass(frozen=True)
class Pool(WindowedOperator):
    """MAX_POOL_2D or AVERAGE_POOL_2D; neither the maximum nor the mean includes padding."""

    activation: str


def parse(operator: StoredOperator, values: Values) -> Pool:
    """Return a pool; its output is quantized as its input is."""
    options = options_of(operator)
    source, output = values.activation(operator, 0), values.make(operator)
    window = parse_window(operator, source, (options["filter_height"], options["filter_width"]))
    require_same_quantization(operator, source, output)
    return Pool(operator.name, operator.position, (source,), output, window, fused_activation(operator))


def lower(operator: Pool, sources: tuple[Source, ...], kernels: Kernels) -> Layer:
    """Return a pooling layer as C."""
    (source,) = sources
    name = STRUCTURES[operator.name]
    low, high = limits(operator.activation, operator.output, _rounding(operator, kernels))

    def fields(place: Place) -> dict[str, object]:
        window = window_fields(source.tensor, operator.window, place.input_rows[0], operator.output)
        made = {"width": operator.output.shape[1], "rows": place.rows}
        return {"in": window, **made, "low": low + STORED, "high": high + STORED}

    return make_layer(
        operator, sources, ("window", "limited" if name == "average_pool" else "words", name), name, fields,
        f"{name}_row(layer, {{input}}, y, {{output}});",
        reads=(rows_read(source, operator.window),), comment=summary(operator, operator.window),
    )  # fmt: skip


def _rounding(operator: Pool, kernels: Kernels) -> Kernels:
    """Return the kernels that round the limits: XNNPACK leaves averages and windows with gaps to LiteRT."""
    (height, width), (down, right) = operator.window.size, operator.window.stride
    is_delegated = operator.name == "MAX_POOL_2D" and down <= height and right <= width
    return kernels if is_delegated else "reference"
