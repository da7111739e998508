"""A `.tflite` file as a list of typed operators, in the order they run; each module of `operators` defines its own.

Every value is int8 (weights, activations) or int32 (biases); real = (stored - zero_point) * scale.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Tensor:
    """An activation.

    Args:
        name: from the file.
        shape: (height, width, channels); a vector of n values is (1, 1, n).
        scale, zero_point: of the whole tensor.
    """

    name: str
    shape: tuple[int, int, int]
    scale: float
    zero_point: int


@dataclass(frozen=True)
class Constant(Tensor):
    """A tensor whose values, int8 of its shape, are in the file."""

    values: NDArray[np.int8] = field(compare=False)


@dataclass(frozen=True)
class Operator:
    """The fields that every operator has.

    Args:
        name: the file's name of it, such as "CONV_2D".
        position: its place in the file's list, for messages.
        inputs: activations that it reads; weights are fields of their own.
        output: the activation that it computes.
    """

    name: str
    position: int
    inputs: tuple[Tensor, ...]
    output: Tensor

    @property
    def multiply_accumulates(self) -> int:
        """Products that an inference sums, including those with padding."""
        return 0


@dataclass(frozen=True)
class Window:
    """Window of a kernel that moves over a picture.

    Args:
        size, stride: (vertical, horizontal).
        before: rows above and columns to the left that padding adds; SAME adds total // 2 before.
    """

    size: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    before: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class WindowedOperator(Operator):
    """An operator that moves a window over its input."""

    window: Window


@dataclass(frozen=True)
class Graph:
    """A network.

    Args:
        input: (height, width, channels); a uint8 tensor of the file is the int8 one of values that are smaller by 128.
        outputs: the same; a classifier has one.
        operators: in the order they run; each reads the input or outputs of earlier ones.
    """

    input: Tensor
    outputs: tuple[Tensor, ...]
    operators: tuple[Operator, ...]

    @property
    def output(self) -> Tensor:
        """The output, or the first one of several."""
        return self.outputs[0]

    @property
    def multiply_accumulates(self) -> int:
        """Products that an inference sums, including those with padding."""
        return sum(operator.multiply_accumulates for operator in self.operators)

    def consumers(self, tensor: Tensor) -> list[Operator]:
        """Return the operators that read a tensor."""
        return [operator for operator in self.operators if any(read is tensor for read in operator.inputs)]
