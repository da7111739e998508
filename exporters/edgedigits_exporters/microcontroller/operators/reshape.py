"""RESHAPE, SQUEEZE, EXPAND_DIMS, and a TRANSPOSE that moves only sides of 1: the same values in another shape."""

from collections.abc import Callable
from dataclasses import dataclass

from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.graph import Operator
from edgedigits_exporters.microcontroller.layer import Source
from edgedigits_exporters.microcontroller.values import BYTES, Values
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactUnsupported
from edgedigits_runtime.untrusted.tflite_model import StoredOperator, format_shape


@dataclass(frozen=True)
class Reshape(Operator):
    """The same values in the same order, without cost."""


def parse(operator: StoredOperator, values: Values) -> Reshape:
    """Return a change of shape; stored values are copied, whatever the quantization."""
    source = values.activation(operator, 0, BYTES)
    output = values.make(operator, (values.stored_input(operator, 0).dtype,))
    wanted, found = WANTED[operator.name](operator, values), values.stored_output(operator).shape
    fits = len(wanted) == len(found) and all(size in (-1, side) for size, side in zip(wanted, found, strict=True))
    if not fits or wanted.count(-1) > 1:
        raise ArtifactCorrupt(
            f"{operator.where} asks for the shape {format_shape(wanted)} and its output has {format_shape(found)};"
            " export it again"
        )
    return Reshape(operator.name, operator.position, (source,), output)


def lower(_operator: Reshape, _sources: tuple[Source, ...], _kernels: Kernels) -> None:
    """Return None: stored values stay as they are."""


def _reshaped(operator: StoredOperator, values: Values) -> tuple[int, ...]:
    """Return the requested shape, in which -1 is the remaining side."""
    if len(operator.inputs) == 2:
        return tuple(int(size) for size in values.numbers(operator, 1).ravel())
    return tuple((operator.options.values or {}).get("new_shape", ()))


def _squeezed(operator: StoredOperator, values: Values) -> tuple[int, ...]:
    """Return the shape without some of its ones, or without any."""
    shape = values.stored_input(operator, 0).shape
    axes = (operator.options.values or {}).get("squeeze_dims", ())
    if not axes:
        return tuple(size for size in shape if size != 1)
    dropped = {_axis(operator, axis, len(shape)) for axis in axes}
    return tuple(size for axis, size in enumerate(shape) if axis not in dropped)


def _expanded(operator: StoredOperator, values: Values) -> tuple[int, ...]:
    """Return the shape with one more side of 1."""
    shape = list(values.stored_input(operator, 0).shape)
    axes = values.numbers(operator, 1).ravel()
    if axes.size != 1:
        raise ArtifactCorrupt(f"{operator.where} adds {axes.size} dimensions at once, expected 1; export it again")
    shape.insert(_axis(operator, int(axes[0]), len(shape) + 1), 1)
    return tuple(shape)


def _transposed(operator: StoredOperator, values: Values) -> tuple[int, ...]:
    """Return the shape with its sides in another order; raise ArtifactUnsupported if the values move."""
    shape = values.stored_input(operator, 0).shape
    order = [_axis(operator, int(axis), len(shape)) for axis in values.numbers(operator, 1).ravel()]
    if sorted(order) != list(range(len(shape))):
        raise ArtifactCorrupt(f"{operator.where} orders {len(shape)} dimensions by {order}; export it again")
    moved = [axis for axis in order if shape[axis] != 1]
    if moved != sorted(moved):
        raise ArtifactUnsupported(
            f"{operator.where} moves values of {format_shape(shape)} by {order}, which C lacks; keep images in order"
            " of height, width, channels"
        )
    return tuple(shape[axis] for axis in order)


def _axis(operator: StoredOperator, axis: int, rank: int) -> int:
    if not -rank <= axis < rank:
        raise ArtifactCorrupt(f"{operator.where} names dimension {axis} of {rank}; export it again")
    return axis % rank


WANTED: dict[str, Callable[[StoredOperator, Values], tuple[int, ...]]] = {
    "EXPAND_DIMS": _expanded,
    "RESHAPE": _reshaped,
    "SQUEEZE": _squeezed,
    "TRANSPOSE": _transposed,
}
