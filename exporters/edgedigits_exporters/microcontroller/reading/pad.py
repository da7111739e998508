"""PAD, and PADV2 where it pads with zeros, around height and width."""

import numpy as np

from edgedigits_exporters.microcontroller.graph import Pad, Tensor
from edgedigits_exporters.microcontroller.reading.stored import StoredOperator
from edgedigits_exporters.microcontroller.reading.values import (
    Values,
    constant,
    options_of,
    require_dtype,
    require_inputs,
    require_same_quantization,
    require_shape,
)
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactUnsupported


def read(operator: StoredOperator, values: Values) -> Pad:
    """Return rows and columns of zeros around a picture."""
    with_value = operator.name == "PADV2"
    if operator.options_type != "NONE":
        options_of(operator, "PadV2Options" if with_value else "PadOptions")
    require_inputs(operator, 2 + with_value, 2 + with_value)
    taken = values.activation(operator, 0)
    paddings = values.numbers(operator, 1)
    rank = len(values.shape_of(operator, 0))
    if rank != 4 or paddings.shape != (4, 2) or np.any(paddings[[0, 3]]):
        raise ArtifactUnsupported(
            f"{operator.where} pads {rank} dimensions by {paddings.tolist()}, and only height and width of 4 are"
            " compiled; use ZeroPadding2D"
        )
    (above, below), (left, right) = ((int(before), int(after)) for before, after in paddings[1:3])
    if min(above, below, left, right) < 0:
        raise ArtifactCorrupt(f"{operator.where} pads by {paddings.tolist()}, below 0; export it again")
    made = values.make(operator)
    require_same_quantization(operator, taken, made)
    if with_value:
        _require_zero(operator, values, made)
    height, width, channels = taken.shape
    require_shape(operator, made, (above + height + below, left + width + right, channels))
    return Pad(operator.name, operator.position, (taken,), made, (above, below), (left, right))


def _require_zero(operator: StoredOperator, values: Values, made: Tensor) -> None:
    stored = values.constant_input(operator, 2)
    if stored is None:
        raise ArtifactCorrupt(f"{operator.where} has no value to pad with; export it again")
    require_dtype(operator, stored, ("INT8",))
    value = constant(operator, stored, np.int8)
    if value.size != 1 or int(value.ravel()[0]) != made.zero_point:
        raise ArtifactUnsupported(
            f"{operator.where} pads with {value.ravel()[:3].tolist()}, and only with what stands for zero"
            f" ({made.zero_point}) is compiled; use ZeroPadding2D"
        )
