"""ADD of two activations of one shape."""

from edgedigits_exporters.microcontroller.graph import Add
from edgedigits_exporters.microcontroller.reading.activations import fused_activation
from edgedigits_exporters.microcontroller.reading.stored import StoredOperator
from edgedigits_exporters.microcontroller.reading.values import (
    Values,
    options_of,
    require_inputs,
    require_shape,
    shape_text,
)
from edgedigits_runtime.errors import ArtifactUnsupported


def read(operator: StoredOperator, values: Values) -> Add:
    """Return a sum."""
    options_of(operator, "AddOptions")
    require_inputs(operator, 2, 2)
    first, second = values.activation(operator, 0), values.activation(operator, 1)
    if first.shape != second.shape:
        raise ArtifactUnsupported(
            f"{operator.where} adds {shape_text(first.shape)} and {shape_text(second.shape)}: broadcasting is not"
            " compiled; give both the same shape"
        )
    made = values.make(operator)
    require_shape(operator, made, first.shape)
    return Add(operator.name, operator.position, (first, second), made, fused_activation(operator))
