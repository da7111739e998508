"""Operators on two operands, either of which may be a constant or the same for several rows, columns or channels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgedigits_exporters.microcontroller import literals
from edgedigits_exporters.microcontroller.activation_limits import fused_activation
from edgedigits_exporters.microcontroller.graph import Constant, Operator, Tensor
from edgedigits_exporters.microcontroller.layer import STORED, Layer, Place, Reads, Source, make_layer, rows_read
from edgedigits_exporters.microcontroller.values import Values
from edgedigits_runtime.errors import ArtifactUnsupported
from edgedigits_runtime.untrusted.tflite_model import StoredOperator

SIDES = ("first", "second")


@dataclass(frozen=True)
class BinaryOperator(Operator):
    """An operator on two operands.

    Args:
        constant: one of them; None if both are activations.
        constant_first: whether it is the first.
        activation: fused into the operator, one of activation_limits.BOUNDS.
    """

    activation: str
    constant: Constant | None = None
    constant_first: bool = False

    @property
    def operands(self) -> tuple[Tensor, Tensor]:
        """Both, in their order; a side of 1 is the same along that of the output."""
        if self.constant is None:
            first, second = self.inputs
            return first, second
        (other,) = self.inputs
        return (self.constant, other) if self.constant_first else (other, self.constant)


def parse_operands(operator: StoredOperator, values: Values) -> dict[str, Any]:
    """Return the fields of a BinaryOperator.

    Raises:
        ArtifactUnsupported: two constants, or see Values.operand and fused_activation.
    """
    output = values.make(operator)
    both = [values.operand(operator, slot) for slot in (0, 1)]
    constants = [operand for operand in both if isinstance(operand, Constant)]
    if len(constants) > 1:
        raise ArtifactUnsupported(f"{operator.where} has two constants, expected one at most; convert the model again")
    return {
        "name": operator.name,
        "position": operator.position,
        "inputs": tuple(operand for operand in both if not isinstance(operand, Constant)),
        "output": output,
        "activation": fused_activation(operator),
        "constant": constants[0] if constants else None,
        "constant_first": isinstance(both[0], Constant),
    }


def binary_layer(
    operator: BinaryOperator,
    sources: tuple[Source, ...],
    kernels: tuple[str, ...],
    structure: str,
    function: str,
    fields: Mapping[str, object],
) -> Layer:
    """Return an operator on two operands as C.

    Args:
        operator, sources, kernels, structure: see make_layer.
        function: the C function that computes a row.
        fields: of the structure, besides the operands.
    """
    height = operator.output.shape[0]
    of_constant = "NULL, {input}" if operator.constant_first else "{input}, NULL"
    return make_layer(
        operator, sources, kernels, structure, lambda place: {"of": _operands(operator, place), **fields},
        f"{function}(layer, {'{inputs}' if operator.constant is None else of_constant}, y, {{output}});",
        arrays=lambda place: _constant_array(operator, place.number),
        reads=tuple(
            rows_read(source) if source.tensor.shape[0] == height else Reads(source.stage, lambda _y: (0, 1))
            for source in sources
        ),
    )  # fmt: skip


def _constant_array(operator: BinaryOperator, number: int) -> list[str]:
    """Return the definition of a constant; nothing without one."""
    if operator.constant is None:
        return []
    return [literals.array("uint8_t", f"constant_{number}", operator.constant.values.astype(int) + STORED)]


def _operands(operator: BinaryOperator, place: Place) -> str:
    """Return the initialiser of the C operands."""
    _, width, channels = operator.output.shape
    resident = iter(place.input_rows)
    joined = all(operand.shape[1:] in ((width, channels), (1, 1)) for operand in operator.operands)
    fields: dict[str, object] = {}
    for side, operand in zip(SIDES, operator.operands, strict=True):
        is_constant = operand is operator.constant
        fields[side] = literals.initialiser(
            {
                "constant": f"constant_{place.number}" if is_constant else "NULL",
                "rows": operand.shape[0] if is_constant else next(resident),
                "row": operand.shape[1] * operand.shape[2],
                "column": operand.shape[2] if operand.shape[1] > 1 and not joined else 0,
                "channel": int(operand.shape[2] > 1 or (joined and operand.shape[1] > 1)),
            }
        )
    columns, along = (1, width * channels) if joined else (width, channels)
    return literals.initialiser({**fields, "columns": columns, "channels": along, "rows": place.rows})
