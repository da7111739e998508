"""What is known of a `.tflite` model before it runs: shapes, and the whole numbers that are computed from them.

With a free batch, converters compute shapes in the graph, such as by SHAPE, STRIDED_SLICE and PACK for a RESHAPE.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.untrusted import limits
from edgedigits_runtime.untrusted.tflite_model import StoredModel, StoredOperator, StoredTensor, format_shape
from edgedigits_runtime.untrusted.tflite_schema import WIDTHS
from edgedigits_runtime.untrusted.tflite_shapes import (
    LSTM,
    NO_SHAPE,
    Numbers,
    Operands,
    Shape,
    UnknownNumbers,
    computed_shapes,
    strided,
)

INTEGERS = {"INT32": "<i4", "INT64": "<i8"}

MOST_NUMBERS = 100
"""In an operand that describes a shape."""

LARGEST = 2**31 - 1

RESHAPING = {"EXPAND_DIMS", "RESHAPE", "SQUEEZE", "TRANSPOSE"}
SHRINKING = {"MEAN", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "SLICE", "STRIDED_SLICE", "SUM"}
"""Operators whose output is at most as large as their input, also where its shape depends on the picture."""


class Known:
    """The shapes and numbers of a model's tensors, as far as operators have made them.

    Attributes:
        shapes: None for a tensor that no operator has made.
        bytes: of all activations.
    """

    def __init__(self, model: StoredModel) -> None:
        self.tensors = model.tensors
        self.shapes: list[Shape | None] = [tensor.shape if tensor.data else None for tensor in model.tensors]
        self.bytes = 0
        self._numbers: dict[int, Numbers] = {}

    def add(self, tensor: StoredTensor, shape: Shape) -> None:
        """Take the shape of a tensor that is neither constant nor computed yet."""
        self.shapes[tensor.index] = shape
        self.bytes += math.ceil(math.prod(shape) * WIDTHS[tensor.dtype])

    def run(self, operator: StoredOperator) -> str:
        """Take the shapes that an operator computes; return its contradiction to its inputs or to the file, or "".

        Raises:
            UnknownNumbers: a shape depends on the picture.
        """
        # Only in an LSTM do inputs follow those that are left out.
        indices = [index for index in operator.inputs if index != -1 or operator.name == LSTM]
        shapes = [self.shapes[index] or () if index != -1 else NO_SHAPE for index in indices]
        numbers = [self.numbers(index) for index in indices]
        operands = Operands(shapes, numbers, operator.options.values or {}, len(operator.outputs))
        stored = [self.tensors[index] for index in operator.outputs]
        try:
            computed = _shapes(operator.name, operands, stored[0])
            made = _computed_numbers(operator.name, operands, computed[0]) if stored[0].dtype in INTEGERS else None
        except (IndexError, ValueError) as error:
            if isinstance(error, UnknownNumbers):
                raise
            return f"does not fit its inputs of {' and '.join(str(list(shape)) for shape in shapes[:4])}: {error}"
        for tensor, shape in zip(stored, computed, strict=True):
            if problem := _difference(operator.name, tensor, shape):
                return problem
            self.add(tensor, shape)
        if made is not None:
            self._numbers[stored[0].index] = made
        return ""

    def numbers(self, index: int) -> Numbers | None:
        """Return the whole numbers of a tensor; None if they depend on the picture, or it has others or many."""
        tensor = self.tensors[index]
        if index == -1 or not tensor.data or tensor.dtype not in INTEGERS or math.prod(tensor.shape) > MOST_NUMBERS:
            return self._numbers.get(index)
        return np.frombuffer(tensor.data, INTEGERS[tensor.dtype]).reshape(tensor.shape).astype(np.int64)


def _shapes(name: str, operands: Operands, stored: StoredTensor) -> list[Shape]:
    try:
        return computed_shapes(name, operands)
    except UnknownNumbers:
        before, after = math.prod(operands.shapes[0]), math.prod(stored.shape)
        if -1 not in stored.signature and (
            (name in RESHAPING and after == before) or (name in SHRINKING and after <= before)
        ):
            return [stored.shape]
        raise


def _difference(name: str, tensor: StoredTensor, shape: Shape) -> str:
    """Return how a computed shape differs from that of the file, which has placeholders where a size is free."""
    if math.prod(shape) * WIDTHS[tensor.dtype] > limits.TENSOR_BYTES:
        return f"makes the shape {format_shape(shape)}, of more than {limits.TENSOR_BYTES:,} bytes"
    free = tensor.signature or tensor.shape
    if len(shape) == len(free) and all(
        size == stored or mark == -1 for size, stored, mark in zip(shape, tensor.shape, free, strict=True)
    ):
        return ""
    # Files differ in how they write a scalar, and sides of 1.
    if name in RESHAPING | SHRINKING and math.prod(shape) == math.prod(tensor.shape):
        return ""
    return f"makes the shape {format_shape(shape)}, the file has {format_shape(tensor.shape)}"


def _computed_numbers(name: str, operands: Operands, shape: Shape) -> Numbers | None:
    """Return the whole numbers that an operator makes; None if they depend on the picture."""
    if name == "SHAPE":
        return np.array(operands.shapes[0], np.int64)
    known = [numbers for numbers in operands.numbers if numbers is not None]
    if name not in COMPUTED or len(known) < len(operands.numbers) or operands.options.get("fused_activation_function"):
        return None
    made = np.asarray(COMPUTED[name](operands, known)).reshape(shape)
    if made.size > MOST_NUMBERS or any(abs(int(number)) > LARGEST for number in made.ravel()):
        return None
    return made.astype(np.int64)


def _same(_: Operands, known: list[Numbers]) -> Numbers:
    return known[0]


COMPUTED: dict[str, Callable[[Operands, list[Numbers]], NDArray[Any]]] = {
    "ADD": lambda _, known: known[0] + known[1],
    "CAST": _same,
    "CONCATENATION": lambda operands, known: np.concatenate(known, operands.axis()),
    "EXPAND_DIMS": _same,
    "GATHER": lambda operands, known: np.take(known[0], known[1], operands.axis()),
    "MUL": lambda _, known: known[0] * known[1],
    "PACK": lambda operands, known: np.stack(known, operands.axis(more=1)),
    # Python's integers, since the product of many sizes may exceed 64 bits.
    "REDUCE_PROD": lambda _, known: np.prod(known[0].astype(object), tuple(known[1].ravel())),
    "RESHAPE": _same,
    "SQUEEZE": _same,
    "STRIDED_SLICE": lambda operands, known: known[0][strided(operands)],
    "SUB": lambda _, known: known[0] - known[1],
}
