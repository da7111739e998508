"""The middle of the compiler: a `.tflite` file as a plain list of typed operators, in the order they run.

`flatbuffer` makes it, `layers` and `memory` read it. Every value in it is int8 (weights, activations) or int32
(biases); real = (stored - zero_point) * scale.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Tensor:
    """An activation.

    Args:
        name: as the file calls it.
        shape: (height, width, channels); a vector of n values is (1, 1, n).
        scale, zero_point: of the whole tensor.
    """

    name: str
    shape: tuple[int, int, int]
    scale: float
    zero_point: int


@dataclass(frozen=True)
class Operator:
    """What every operator has.

    Args:
        name: the file's name of it, such as "CONV_2D".
        position: its place in the file's list, for messages.
        inputs: activations that it reads; weights are fields of their own.
        output: the one that it makes.
    """

    name: str
    position: int
    inputs: tuple[Tensor, ...]
    output: Tensor


@dataclass(frozen=True)
class Window:
    """How a kernel moves over a picture.

    Args:
        size, stride: (vertical, horizontal).
        before: rows above and columns to the left that padding adds; SAME adds total // 2 before.
    """

    size: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    before: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Convolution(Operator):
    """CONV_2D, and FULLY_CONNECTED as one whose window is the whole input.

    Args:
        window: of the kernel.
        weights: int8 [output channels, kernel height, kernel width, input channels].
        weights_zero_point: 0, but on the legacy per-tensor path.
        weight_scales: float32 [output channels].
        bias: int32 [output channels].
        activation: fused into it, one of activations.BOUNDS.
    """

    window: Window
    weights: NDArray[np.int8]
    weights_zero_point: int
    weight_scales: NDArray[np.float32]
    bias: NDArray[np.int32]
    activation: str


@dataclass(frozen=True)
class Depthwise(Convolution):
    """DEPTHWISE_CONV_2D: weights [1, kernel height, kernel width, output channels].

    Output channel c reads input channel c // multiplier.
    """

    multiplier: int


@dataclass(frozen=True)
class Separable(Operator):
    """A Depthwise and the Convolution with a 1x1 window that alone reads it; made by fusing, not by reading."""

    first: Depthwise
    then: Convolution


@dataclass(frozen=True)
class Pool(Operator):
    """MAX_POOL_2D or AVERAGE_POOL_2D, as `name` says; padding is left out of the maximum and of the mean."""

    window: Window
    activation: str


@dataclass(frozen=True)
class Mean(Operator):
    """MEAN over height and width."""


@dataclass(frozen=True)
class Add(Operator):
    """ADD of two tensors of one shape."""

    activation: str


@dataclass(frozen=True)
class Pad(Operator):
    """PAD with the value that stands for zero: rows above and below, columns left and right."""

    rows: tuple[int, int]
    columns: tuple[int, int]


@dataclass(frozen=True)
class Clamp(Operator):
    """QUANTIZE, RELU and RELU6: the same value at another scale, within the activation's bounds.

    Args:
        activation: one of activations.BOUNDS.
        all_int8: whether input and output are int8 in the file; uint8 is kept less 128 here.
    """

    activation: str
    all_int8: bool = True


@dataclass(frozen=True)
class Softmax(Operator):
    """SOFTMAX over the channels of a vector."""

    beta: float


@dataclass(frozen=True)
class Reshape(Operator):
    """RESHAPE: the same values in the same order; costs nothing."""


@dataclass(frozen=True)
class Graph:
    """A network.

    Args:
        input: what it is given: (height, width, channels), int8 or, stored the same way, uint8.
        output: what it gives, int8.
        operators: in the order they run; each reads the input or outputs of earlier ones.
        input_dtype, output_dtype: "int8", or "uint8" where the file gives or takes every value plus 128; the
            zero points here are those of int8 either way.
    """

    input: Tensor
    output: Tensor
    operators: tuple[Operator, ...]
    input_dtype: str = "int8"
    output_dtype: str = "int8"

    def consumers(self, tensor: Tensor) -> list[Operator]:
        """Return the operators that read a tensor."""
        return [operator for operator in self.operators if any(read is tensor for read in operator.inputs)]


def multiply_accumulates(graph: Graph) -> int:
    """Count the products that an inference sums, those with padding too."""
    return sum(_products(operator) for operator in graph.operators)


def _products(operator: Operator) -> Any:
    if not isinstance(operator, Convolution):
        return 0
    height, width, _ = operator.output.shape
    return height * width * operator.weights.size
