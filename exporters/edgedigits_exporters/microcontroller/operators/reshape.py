"""RESHAPE, SQUEEZE, EXPAND_DIMS, and a TRANSPOSE that moves only sides of 1: the same values in another shape."""

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
    operands = values.numbers(operator, 1).ravel().tolist() if len(operator.inputs) == 2 else []
    if operator.name == "TRANSPOSE":
        _require_order(values.stored_input(operator, 0).shape, operands, operator)
    wanted, found = values.computed_shape(operator), values.stored_output(operator).shape
    if wanted != found:
        raise ArtifactCorrupt(
            f"{operator.where} asks for the shape {format_shape(wanted)} and its output has {format_shape(found)};"
            " export it again"
        )
    return Reshape(operator.name, operator.position, (source,), output)


def _require_order(shape: tuple[int, ...], order: list[int], operator: StoredOperator) -> None:
    """Raise ArtifactUnsupported if a transposition moves values."""
    moved = [axis for axis in order if shape[axis] != 1]
    if moved != sorted(moved):
        raise ArtifactUnsupported(
            f"{operator.where} moves values of {format_shape(shape)} by {order}, which C lacks; keep images in order"
            " of height, width, channels"
        )


def lower(_operator: Reshape, _sources: tuple[Source, ...], _kernels: Kernels) -> None:
    """Return None: stored values stay as they are."""
