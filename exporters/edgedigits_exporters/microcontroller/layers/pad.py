"""PAD."""

from edgedigits_exporters.microcontroller.activations import Kernels
from edgedigits_exporters.microcontroller.graph import Operator, Pad, Window
from edgedigits_exporters.microcontroller.layers.layer import (
    STORED,
    Layer,
    Place,
    Source,
    described,
    resident_rows,
    rows_read,
)
from edgedigits_exporters.microcontroller.writing import literals


def lower(operator: Operator, sources: tuple[Source, ...], kernels: Kernels) -> Layer:  # noqa: ARG001  # nothing rounds
    """Return a padding as C."""
    assert isinstance(operator, Pad)
    (source,) = sources
    height, width, channels = source.tensor.shape
    (above, _), (left, right) = operator.rows, operator.columns

    def define(place: Place) -> str:
        fields = {
            "height": height,
            "rows": resident_rows(source, place.input_rows[0]),
            "length": width * channels,
            "above": above,
            "made_rows": place.rows,
            "left": left * channels,
            "right": right * channels,
            "zero": operator.output.zero_point + STORED,
        }
        return literals.structure("padding", f"layer_{place.number}", {key: str(fields[key]) for key in fields})

    return Layer(
        kernels=("pad",),
        steps=operator.output.shape[0],
        reads=(rows_read(source, Window((1, 1), before=(above, left))),),
        structure="padding",
        define=define,
        call="pad_row(layer, {input}, y, {output});",
        comment=f"{operator.name}: {described(operator.inputs[0])} to {described(operator.output)}",
    )
