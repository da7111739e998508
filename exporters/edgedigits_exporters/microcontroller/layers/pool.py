"""MAX_POOL_2D and AVERAGE_POOL_2D."""

from edgedigits_exporters.microcontroller.activations import Kernels, limits
from edgedigits_exporters.microcontroller.graph import Operator, Pool
from edgedigits_exporters.microcontroller.layers.layer import (
    STORED,
    Layer,
    Place,
    Source,
    described,
    rows_read,
    window_fields,
)
from edgedigits_exporters.microcontroller.writing import literals

STRUCTURES = {"MAX_POOL_2D": "max_pool", "AVERAGE_POOL_2D": "average_pool"}
"""C types, functions and files under kernels/."""


def lower(operator: Operator, sources: tuple[Source, ...], kernels: Kernels) -> Layer:
    """Return a pooling layer as C."""
    assert isinstance(operator, Pool)
    (source,) = sources
    name = STRUCTURES[operator.name]
    low, high = limits(operator.activation, operator.output, _rounding(operator, kernels))

    def define(place: Place) -> str:
        return literals.structure(name, f"layer_{place.number}", {
            "in": window_fields(source, operator.window, place.input_rows[0], operator.output),
            "width": str(operator.output.shape[1]), "rows": str(place.rows),
            "low": str(low + STORED), "high": str(high + STORED),
        })  # fmt: skip

    return Layer(
        kernels=("window", "limited" if name == "average_pool" else "words", name),
        steps=operator.output.shape[0],
        reads=(rows_read(source, operator.window),),
        structure=name,
        define=define,
        call=f"{name}_row(layer, {{input}}, y, {{output}});",
        comment=f"{operator.name}: {described(operator.inputs[0])} to {described(operator.output)}, "
        f"window {operator.window.size[0]}x{operator.window.size[1]}, stride {operator.window.stride[0]}x"
        f"{operator.window.stride[1]}",
    )


def _rounding(operator: Pool, kernels: Kernels) -> Kernels:
    """Return who rounds the limits: XNNPACK leaves averages, and windows with gaps between them, to LiteRT."""
    (height, width), (down, right) = operator.window.size, operator.window.stride
    is_delegated = operator.name == "MAX_POOL_2D" and down <= height and right <= width
    return kernels if is_delegated else "reference"
