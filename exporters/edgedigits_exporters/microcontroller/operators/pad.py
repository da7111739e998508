"""PAD, and PADV2 where it pads with zeros, around height and width."""

from dataclasses import dataclass

import numpy as np

from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.graph import Operator, Tensor, Window
from edgedigits_exporters.microcontroller.layer import STORED, Layer, Source, make_layer, rows_read
from edgedigits_exporters.microcontroller.values import Values, constant, require_same_quantization
from edgedigits_runtime.errors import ArtifactUnsupported
from edgedigits_runtime.untrusted.tflite_model import StoredOperator


@dataclass(frozen=True)
class Pad(Operator):
    """PAD with the zero point: rows above and below, columns left and right."""

    rows: tuple[int, int]
    columns: tuple[int, int]


def parse(operator: StoredOperator, values: Values) -> Pad:
    """Return rows and columns of zeros around a picture."""
    source, output = values.activation(operator, 0), values.make(operator)
    paddings = values.numbers(operator, 1)
    if paddings.shape != (4, 2) or np.any(paddings[[0, 3]]):
        raise ArtifactUnsupported(
            f"{operator.where} pads by {paddings.tolist()}, expected height and width of 4 dimensions;"
            " use ZeroPadding2D"
        )
    require_same_quantization(operator, source, output)
    if operator.name == "PADV2":
        _require_zero(operator, values, output)
    rows, columns = ((int(before), int(after)) for before, after in paddings[1:3])
    return Pad(operator.name, operator.position, (source,), output, rows, columns)


def _require_zero(operator: StoredOperator, values: Values, output: Tensor) -> None:
    stored = values.constant_input(operator, 2)
    found = constant(stored).ravel()[:3].tolist() if stored else []
    if found != [output.zero_point]:
        raise ArtifactUnsupported(
            f"{operator.where} pads with {found}, expected the zero point {output.zero_point}; use ZeroPadding2D"
        )


def lower(operator: Pad, sources: tuple[Source, ...], _kernels: Kernels) -> Layer:
    """Return a padding as C."""
    (source,) = sources
    height, width, channels = source.tensor.shape
    (above, _), (left, right) = operator.rows, operator.columns
    return make_layer(
        operator, sources, ("pad",), "padding",
        lambda place: {
            "height": height, "rows": place.input_rows[0], "length": width * channels,
            "above": above, "made_rows": place.rows, "left": left * channels, "right": right * channels,
            "zero": operator.output.zero_point + STORED,
        },
        "pad_row(layer, {input}, y, {output});",
        reads=(rows_read(source, Window((1, 1), before=(above, left))),),
    )  # fmt: skip
