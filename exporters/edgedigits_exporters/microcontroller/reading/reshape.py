"""RESHAPE, SQUEEZE and EXPAND_DIMS: the same values in another shape."""

import math
from collections.abc import Callable

from edgedigits_exporters.microcontroller.graph import Reshape
from edgedigits_exporters.microcontroller.reading.stored import LONGEST_SHAPE, StoredOperator
from edgedigits_exporters.microcontroller.reading.values import Values, require_inputs, shape_text
from edgedigits_runtime.errors import ArtifactCorrupt

OPTIONS = {"RESHAPE": "ReshapeOptions", "SQUEEZE": "SqueezeOptions", "EXPAND_DIMS": "ExpandDimsOptions"}
BYTES = ("INT8", "UINT8")


def read(operator: StoredOperator, values: Values) -> Reshape:
    """Return a change of shape; its values are copied as they are stored, whatever the quantization says."""
    if operator.options_type not in ("NONE", OPTIONS[operator.name]):
        raise ArtifactCorrupt(f"{operator.where} carries {operator.options_type}; export it again")
    require_inputs(operator, 1, 1 if operator.name == "SQUEEZE" else 2)
    taken = values.activation(operator, 0, BYTES)
    made = values.make(operator, (values.dtype_of(operator, 0),))
    if math.prod(taken.shape) != math.prod(made.shape):
        raise ArtifactCorrupt(
            f"{operator.where} makes {shape_text(made.shape)} of {shape_text(taken.shape)}, another number of values;"
            " export it again"
        )
    wanted = WANTED[operator.name](operator, values)
    there = list(values.stored(operator.outputs[0]).shape)
    fits = len(wanted) == len(there) and all(size in (-1, made) for size, made in zip(wanted, there, strict=True))
    if not fits or wanted.count(-1) > 1:
        raise ArtifactCorrupt(
            f"{operator.where} is told to make {wanted} and its output has the shape {there}; export it again"
        )
    return Reshape(operator.name, operator.position, (taken,), made)


def _reshaped(operator: StoredOperator, values: Values) -> list[int]:
    """The shape that is asked for, in which -1 stands for what is left over."""
    if len(operator.inputs) == 2:
        return [int(size) for size in values.numbers(operator, 1).ravel()]
    told = operator.options.get("newShape")
    if told is None or len(told) > LONGEST_SHAPE:
        raise ArtifactCorrupt(f"{operator.where} is not told which shape to make; export it again")
    return [int(size) for size in told]


def _squeezed(operator: StoredOperator, values: Values) -> list[int]:
    """The shape without some of its ones, or without any."""
    shape = values.shape_of(operator, 0)
    told = operator.options.get("squeezeDims")
    if told is None or len(told) == 0:
        return [size for size in shape if size != 1]
    dropped = {_axis(operator, int(axis), len(shape)) for axis in told[:LONGEST_SHAPE]}
    return [size for axis, size in enumerate(shape) if axis not in dropped]


def _expanded(operator: StoredOperator, values: Values) -> list[int]:
    """The shape with a one more."""
    shape = list(values.shape_of(operator, 0))
    axes = values.numbers(operator, 1).ravel()
    if axes.size != 1:
        raise ArtifactCorrupt(f"{operator.where} adds {axes.size} dimensions at once, expected 1; export it again")
    shape.insert(_axis(operator, int(axes[0]), len(shape) + 1), 1)
    return shape


def _axis(operator: StoredOperator, axis: int, rank: int) -> int:
    if not -rank <= axis < rank:
        raise ArtifactCorrupt(f"{operator.where} names dimension {axis} of {rank}; export it again")
    return axis % rank


WANTED: dict[str, Callable[[StoredOperator, Values], list[int]]] = {
    "EXPAND_DIMS": _expanded,
    "RESHAPE": _reshaped,
    "SQUEEZE": _squeezed,
}
