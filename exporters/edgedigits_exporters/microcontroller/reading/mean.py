"""MEAN over height and width."""

from edgedigits_exporters.microcontroller.graph import Mean
from edgedigits_exporters.microcontroller.reading.stored import StoredOperator
from edgedigits_exporters.microcontroller.reading.values import Values, options_of, require_inputs, require_shape
from edgedigits_runtime.errors import ArtifactUnsupported


def read(operator: StoredOperator, values: Values) -> Mean:
    """Return a global average pool, with or without the dimensions that it leaves at 1."""
    options_of(operator, "ReducerOptions")
    require_inputs(operator, 2, 2)
    taken = values.activation(operator, 0)
    rank = len(values.shape_of(operator, 0))
    axes = values.numbers(operator, 1).ravel()
    if rank != 4 or {int(axis) % rank for axis in axes} != {1, 2}:
        raise ArtifactUnsupported(
            f"{operator.where} averages {rank} dimensions along {axes.tolist()}, and only height and width (1, 2) of 4"
            " are compiled; use GlobalAveragePooling2D"
        )
    made = values.make(operator)
    require_shape(operator, made, (1, 1, taken.shape[2]))
    return Mean(operator.name, operator.position, (taken,), made)
