"""Random networks of supported operators with random quantization, and inputs for them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters.microcontroller.activation_limits import BOUNDS
from edgedigits_exporters.microcontroller.graph import Constant, Graph, Operator, Tensor, Window
from edgedigits_exporters.microcontroller.operands import BinaryOperator
from edgedigits_exporters.microcontroller.operators.absolute import Absolute
from edgedigits_exporters.microcontroller.operators.activation import Activation
from edgedigits_exporters.microcontroller.operators.add import Add
from edgedigits_exporters.microcontroller.operators.clamp import Clamp
from edgedigits_exporters.microcontroller.operators.concatenation import Concatenation
from edgedigits_exporters.microcontroller.operators.convolution import Convolution
from edgedigits_exporters.microcontroller.operators.depth_to_space import DepthToSpace
from edgedigits_exporters.microcontroller.operators.depthwise import Depthwise
from edgedigits_exporters.microcontroller.operators.hard_swish import HardSwish
from edgedigits_exporters.microcontroller.operators.leaky_relu import LeakyRelu
from edgedigits_exporters.microcontroller.operators.mul import Mul
from edgedigits_exporters.microcontroller.operators.pad import Pad
from edgedigits_exporters.microcontroller.operators.pooling import Pool
from edgedigits_exporters.microcontroller.operators.prelu import Prelu
from edgedigits_exporters.microcontroller.operators.reduction import Mean, ReduceMax
from edgedigits_exporters.microcontroller.operators.reshape import Reshape
from edgedigits_exporters.microcontroller.operators.softmax import MOST_CHANNELS, Softmax
from tests.support.quantized_graphs import MAKE_VECTORS, PICTURES_ONLY

MOST_VALUES = 600
"""Most values of a dense layer's input."""
SCALES = (1e-4, 10.0)
"""Limits of random scales: many operators in a row would leave the range that LiteRT takes."""
MOST_RATIO = 100
"""Largest ratio of the scales of two operands: XNNPACK adds with ratios up to 256."""
TYPICAL_PRODUCT = 5400
"""Typical product of two random int8 values."""


def random_graph(names: Sequence[str], seed: int, shape: tuple[int, int, int] | None = None) -> Graph:
    """Return a network of operators in this order, without those that do not fit."""
    made = _Growing(np.random.default_rng(seed), shape)
    for name in names:
        made.grow(name)
    if made.last.shape[:2] != (1, 1):
        made.grow("RESHAPE")
    return Graph(made.tensors[0], (made.last,), tuple(made.operators))


def random_finder(seed: int, size: tuple[int, int]) -> Graph:
    """Return a network like the finder's, for pictures of a height and width.

    Plain and separable convolutions to stride 32, a top-down path with nearest upsampling, two outputs each.
    """
    made = _Growing(np.random.default_rng(seed), (*size, 3))
    made.tensors[0] = made.last = Tensor("image", (*size, 3), float(np.float32(1 / 255)), -128)
    made.same(4, 3, stride=2)
    features = [made.same(6, 3, stride=2)]
    for window in (3, 3, 5):
        made.same(made.last.shape[2], window, stride=2, depthwise=True)
        block = made.same(8)
        made.same(8, window, depthwise=True)
        made.same(8)
        features.append(made.sum_with(block))
    outputs: list[Tensor] = []
    above = None
    for feature in reversed(features):
        made.last = feature
        own = made.same(8)
        if above is not None:
            made.last = above
            height, width, channels = above.shape
            joined = made._tensor((height, width, 4 * channels), above.scale, above.zero_point)
            made._append(Concatenation("CONCATENATION", len(made.operators), (above,) * 4, joined, 2))
            larger = made._tensor((2 * height, 2 * width, channels), above.scale, above.zero_point)
            made._append(DepthToSpace("DEPTH_TO_SPACE", len(made.operators), (joined,), larger, 2))
            own = made.sum_with(own)
        above = own
        made.same(8, 3, depthwise=True)
        head = made.same(8)
        ends = [made.same(2)]
        made.last = head
        outputs = [*ends, made.same(4), *outputs]
    return Graph(made.tensors[0], tuple(outputs), tuple(made.operators))


def random_inputs(graph: Graph, seed: int, count: int = 60) -> NDArray[np.int8]:
    """Return int8 [count, ...]: extremes, values near the zero point and near 0, and random ones."""
    generator = np.random.default_rng(seed)
    shape = (count, *graph.input.shape)
    inputs = generator.integers(-128, 128, shape)
    inputs[0], inputs[1] = -128, 127
    inputs[2] = generator.choice([-128, 127], graph.input.shape)
    inputs[3:8] = graph.input.zero_point + generator.integers(-3, 4, inputs[3:8].shape)
    inputs[8:16] = generator.integers(-2, 3, inputs[8:16].shape)
    return np.clip(inputs, -128, 127).astype(np.int8)


class _Growing:
    def __init__(self, generator: np.random.Generator, shape: tuple[int, int, int] | None) -> None:
        self.generator = generator
        self.operators: list[Operator] = []
        self.tensors: list[Tensor] = []
        height, width, channels = shape or (self._upto(9), self._upto(9), self._channels())
        self.last = self._tensor((height, width, channels), self._scale(), self._zero())
        self.flat: set[int] = set()

    def grow(self, name: str) -> None:
        """Append an operator if it fits."""
        is_flat = id(self.last) in self.flat
        if (is_flat and name in PICTURES_ONLY) or (not is_flat and name == "SOFTMAX"):
            return
        taken = self.last
        GROWERS[name](self, name)
        if self.last is not taken and self._is_made_flat(name, taken):
            self.flat.add(id(self.last))

    def _is_made_flat(self, name: str, taken: Tensor) -> bool:
        """Whether the output is a vector, [1, n], in the file."""
        if name == "RESHAPE":
            return taken.shape[:2] != (1, 1)
        are_flat = all(id(tensor) in self.flat for tensor in self.operators[-1].inputs)
        return name in MAKE_VECTORS or (name not in PICTURES_ONLY and are_flat)

    def convolution(self, name: str) -> None:
        _, _, channels = self.last.shape
        window, shape = self._window(3)
        made = self._channels()
        self._weighted(name, (*shape, made), window, (made, *window.size, channels), (1, 2, 3))

    def depthwise(self, name: str) -> None:
        _, _, channels = self.last.shape
        window, shape = self._window(3)
        multiplier = self._upto(2)
        made = channels * multiplier
        self._weighted(name, (*shape, made), window, (1, *window.size, made), (0, 1, 2), multiplier=multiplier)

    def dense(self, name: str) -> None:
        if np.prod(self.last.shape) > MOST_VALUES:
            return
        height, width, _ = self.last.shape
        made = self._channels()
        self._weighted(name, (1, 1, made), Window((height, width)), (made, *self.last.shape), (1, 2, 3))

    def pool(self, name: str) -> None:
        window, shape = self._window(4)
        made = self._tensor((*shape, self.last.shape[2]), self.last.scale, self.last.zero_point)
        self._append(Pool(name, len(self.operators), (self.last,), made, window, self._activation()))

    def mean(self, name: str) -> None:
        made = self._rescaled((1, 1, self.last.shape[2]))
        self._append(Mean(name, len(self.operators), (self.last,), made))

    def reduce_max(self, name: str) -> None:
        made = self._tensor((1, 1, self.last.shape[2]), self.last.scale, self.last.zero_point)
        self._append(ReduceMax(name, len(self.operators), (self.last,), made))

    def add(self, name: str) -> None:
        self._binary(name, Add, lambda *scales: self._near(max(scales)), self._activation())

    def mul(self, name: str) -> None:
        self._binary(name, Mul, lambda *scales: self._near(8 * float(np.prod(scales))), self._activation())

    def prelu(self, name: str) -> None:
        alpha = self._constant()
        made = self._tensor(self.last.shape, self._near(self.last.scale * max(1, 99 * alpha.scale)), self._zero())
        self._append(Prelu(name, len(self.operators), (self.last,), made, "NONE", alpha))

    def concatenation(self, name: str) -> None:
        last = self.last
        # The file has vectors, [1, n], or pictures of one pixel.
        axis = 2 if last.shape[:2] == (1, 1) else int(self.generator.integers(3))
        rest = [side for side in range(3) if side != axis]
        kin = [
            tensor
            for tensor in self.tensors
            if all(tensor.shape[side] == last.shape[side] for side in rest) and self._is_kin(tensor)
        ]
        inputs = [last]
        for number in self.generator.integers(len(kin), size=self._upto(3)):
            tensor = kin[number]
            scale, zero_point = last.scale, last.zero_point
            if (tensor.scale, tensor.zero_point) == (scale, zero_point):
                inputs.append(tensor)
            elif 1 / MOST_RATIO < tensor.scale / scale < MOST_RATIO:
                inputs.append(self._tensor(tensor.shape, scale, zero_point))
                self.operators.append(Clamp("QUANTIZE", len(self.operators), (tensor,), inputs[-1], "NONE"))
                self.flat |= {id(inputs[-1])} if id(tensor) in self.flat else set()
        self.generator.shuffle(inputs)
        shape = [*last.shape]
        shape[axis] = sum(tensor.shape[axis] for tensor in inputs)
        made = self._tensor((shape[0], shape[1], shape[2]), last.scale, last.zero_point)
        self._append(Concatenation(name, len(self.operators), tuple(inputs), made, axis))

    def depth_to_space(self, name: str) -> None:
        """Append a DEPTH_TO_SPACE, or one of copies: nearest upsampling."""
        block = int(self.generator.integers(2, 4))
        height, width, channels = self.last.shape
        if channels % block**2 or self.generator.random() < 0.5:
            copies = (self.last,) * block**2
            joined = self._tensor((height, width, channels * block**2), self.last.scale, self.last.zero_point)
            self._append(Concatenation("CONCATENATION", len(self.operators), copies, joined, 2))
        made = (height * block, width * block, self.last.shape[2] // block**2)
        output = self._tensor(made, self.last.scale, self.last.zero_point)
        self._append(DepthToSpace(name, len(self.operators), (self.last,), output, block))

    def same(self, made: int, size: int = 1, stride: int = 1, *, depthwise: bool = False) -> Tensor:
        """Append a convolution with SAME padding and ReLU6 that makes so many channels; return its output."""
        height, width, channels = self.last.shape
        shape = (-(-height // stride), -(-width // stride), made)
        above, left = (max((-(-side // stride) - 1) * stride + size - side, 0) // 2 for side in (height, width))
        window = Window((size, size), (stride, stride), (above, left))
        if depthwise:
            self._weighted("DEPTHWISE_CONV_2D", shape, window, (1, size, size, made), (0, 1, 2), multiplier=1)
        else:
            self._weighted("CONV_2D", shape, window, (made, size, size, channels), (1, 2, 3))
        return self.last

    def sum_with(self, other: Tensor) -> Tensor:
        """Append an addition of a tensor of the last one's shape; return its output."""
        output = self._tensor(self.last.shape, max(self.last.scale, other.scale), self._zero())
        self._append(Add("ADD", len(self.operators), (self.last, other), output, "NONE"))
        return output

    def function(self, name: str) -> None:
        (scale, zero), way = OWN_QUANTIZATION.get(name, (0, 0)), self.generator.integers(3)
        zero = zero if way == 0 else self._zero()
        if name == "LOGISTIC" or (name == "TANH" and way < 2):
            made = self._tensor(self.last.shape, scale, zero)
        else:
            made = self._rescaled(self.last.shape)
        kind, extra = FUNCTIONS[name], {}
        if name == "LEAKY_RELU":
            extra = {"alpha": float(np.float32(self.generator.choice([0.2, 0.01, 0.3, 2.5, -0.4, 1e-4, 0])))}
        if name == "GELU":
            extra = {"is_approximate": bool(self.generator.integers(2))}
        self._append(kind(name, len(self.operators), (self.last,), made, **extra))

    def pad(self, name: str) -> None:
        rows, columns = ((int(a), int(b)) for a, b in self.generator.integers(0, 3, (2, 2)))
        height, width, channels = self.last.shape
        shape = (height + sum(rows), width + sum(columns), channels)
        made = self._tensor(shape, self.last.scale, self.last.zero_point)
        self._append(Pad(name, len(self.operators), (self.last,), made, rows, columns))

    def clamp(self, name: str) -> None:
        made = self._rescaled(self.last.shape)
        activation = "NONE" if name == "QUANTIZE" else name
        self._append(Clamp(name, len(self.operators), (self.last,), made, activation))

    def reshape(self, name: str) -> None:
        count = int(np.prod(self.last.shape))
        shape = (1, 1, count)
        if self.last.shape == shape:
            sides = [(h, w) for h in range(1, 8) for w in range(1, 8) if count % (h * w) == 0 and h * w > 1]
            if not sides:
                return
            height, width = sides[self.generator.integers(len(sides))]
            shape = (height, width, count // height // width)
        made = self._tensor(shape, self.last.scale, self.last.zero_point)
        self._append(Reshape(name, len(self.operators), (self.last,), made))

    def softmax(self, name: str) -> None:
        if self.last.shape[2] > MOST_CHANNELS:
            return
        made = self._tensor(self.last.shape, 1 / 256, -128)
        beta = 1.0 if self.generator.random() < 0.7 else float(np.float32(self.generator.uniform(0.1, 3)))
        self._append(Softmax(name, len(self.operators), (self.last,), made, beta))

    def _weighted(
        self, name: str, made: tuple[int, int, int], window: Window, weights: tuple[int, ...], axes: Any, **more: int
    ) -> None:
        """Append an operator with weights, scaled so that its output spans about int8."""
        channels, taps = made[2], int(np.prod([weights[axis] for axis in axes]))
        way = self.generator.integers(5)
        output = self._tensor(made, self.last.scale if way == 0 else self._scale(), self._zero())
        if way == 0:
            # Powers of two, with which many sums fall half way between two steps.
            ratio = 2.0 ** -self.generator.integers(4, 11, channels)
            values = self.generator.integers(-128, 128, weights)
        elif way == 1:
            # Sums that are scaled up.
            ratio = np.full(channels, self.generator.choice([0.5, 1.0, 1.7, 60.0]))
            values = self.generator.integers(-1, 2, weights)
        else:
            gain = self.generator.choice([5, 20, 60, 200]) * np.exp(self.generator.uniform(-0.7, 0.7, channels))
            ratio = gain / (np.sqrt(taps) * TYPICAL_PRODUCT)
            values = self.generator.integers(-128, 128, weights)
        if self.generator.random() < 0.3:
            ratio[:] = ratio[0]
        bias = np.rint(self.generator.normal(0, 50, channels) / ratio).astype(np.int32)
        scales = (ratio * output.scale / self.last.scale).astype(np.float32)
        kind = Depthwise if more else Convolution
        self._append(
            kind(
                name=name,
                position=len(self.operators),
                inputs=(self.last,),
                output=output,
                window=window,
                weights=values.astype(np.int8),
                weights_zero_point=0,
                weight_scales=scales,
                bias=bias,
                activation=self._activation(),
                **more,
            )
        )

    def _binary(self, name: str, kind: type[BinaryOperator], scale: Any, activation: str) -> None:
        """Append an operator on the last tensor and another of its shape, one that is repeated, or a constant."""
        other: Tensor = self._constant()
        kin = [tensor for tensor in self.tensors if self._repeats(tensor)]
        kin = [tensor for tensor in kin if 1 / MOST_RATIO < tensor.scale / self.last.scale < MOST_RATIO]
        if self.generator.random() < 0.7:
            other = kin[self.generator.integers(len(kin))]
        operands = [self.last, other]
        is_swapped = self.generator.random() < 0.5
        output = self._tensor(self.last.shape, scale(*(tensor.scale for tensor in operands)), self._zero())
        position, inputs = len(self.operators), operands[::-1] if is_swapped else operands
        if isinstance(other, Constant):
            self._append(kind(name, position, (self.last,), output, activation, other, is_swapped))
        else:
            self._append(kind(name, position, tuple(inputs), output, activation))

    def _constant(self) -> Constant:
        """Return a constant of the last tensor's shape, or with some sides of 1."""
        keep = SAME_SIDES[self.generator.integers(len(SAME_SIDES))]
        shape = tuple(side if kept else 1 for side, kept in zip(self.last.shape, keep, strict=True))
        values = self.generator.integers(-128, 128, shape).astype(np.int8)
        height, width, channels = shape
        scale = float(np.float32(self._near(self.last.scale) if self.generator.random() < 0.7 else 0.01))
        return Constant("constant", (height, width, channels), scale, self._zero(), values)

    def _is_kin(self, tensor: Tensor) -> bool:
        return (id(tensor) in self.flat) == (id(self.last) in self.flat)

    def _repeats(self, tensor: Tensor) -> bool:
        """Whether a tensor has the last one's shape, or sides of 1 along which it is repeated."""
        sides = zip(tensor.shape, self.last.shape, strict=True)
        is_vector_for_picture = id(tensor) in self.flat and id(self.last) not in self.flat
        return all(side in (1, last) for side, last in sides) and (self._is_kin(tensor) or is_vector_for_picture)

    def _window(self, longest: int) -> tuple[Window, tuple[int, int]]:
        """Return a window and its number of rows and columns, padded as SAME or VALID."""
        same = self.generator.random() < 0.5
        along = []
        for taken in self.last.shape[:2]:
            size, stride = min(self._upto(longest), longest if same else taken), self._upto(3)
            made = -(-taken // stride) if same else (taken - size) // stride + 1
            along.append((size, stride, max((made - 1) * stride + size - taken, 0) // 2 if same else 0, made))
        (height, width), strides, before, made_both = zip(*along, strict=True)
        return Window((height, width), strides, before), made_both

    def _append(self, operator: Operator) -> None:
        self.operators.append(operator)
        self.last = operator.output

    def _tensor(self, shape: tuple[int, int, int], scale: float, zero_point: int) -> Tensor:
        self.tensors.append(Tensor(f"t{len(self.tensors)}", shape, float(np.float32(scale)), zero_point))
        return self.tensors[-1]

    def _rescaled(self, shape: tuple[int, int, int]) -> Tensor:
        if self.generator.random() < 0.4:
            return self._tensor(shape, self.last.scale, self.last.zero_point)
        return self._tensor(shape, self._near(self.last.scale), self._zero())

    def _near(self, scale: float) -> float:
        """Return a random scale, one larger or smaller by a power of two, or one where 6 is half way between steps."""
        way = self.generator.integers(4)
        if way == 1 and 0.02 < scale < 3:
            return 6 / (np.rint(6 / scale) + 0.5)
        factor = 2.0 ** int(self.generator.integers(-2, 3)) if way == 0 else np.exp(self.generator.uniform(-1.5, 1.5))
        return float(np.clip(scale * factor, *SCALES))

    def _scale(self) -> float:
        way = self.generator.integers(4)
        if way == 0:
            return 2.0 ** int(self.generator.integers(-9, 0))
        if way == 1:
            return 6 / (self._upto(250) + 0.5)
        return float(np.exp(self.generator.uniform(np.log(1e-3), np.log(0.5))))

    def _zero(self) -> int:
        return int(self.generator.choice([-128, 127, 0, self.generator.integers(-128, 128)]))

    def _activation(self) -> str:
        return str(self.generator.choice(list(BOUNDS)))

    def _channels(self) -> int:
        """Return a few, or the number that C computes at once, or one more."""
        return int(self.generator.choice([16, 32, 33])) if self.generator.random() < 0.1 else self._upto(9)

    def _upto(self, most: int) -> int:
        return int(self.generator.integers(1, most + 1))


SAME_SIDES = ((True, True, True), (False, False, True), (False, False, False), (True, True, False), (False, True, True))
"""Sides of a constant that are those of the other operand."""
OWN_QUANTIZATION = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}
FUNCTIONS: dict[str, Any] = {
    "ABS": Absolute,
    "GELU": Activation,
    "HARD_SWISH": HardSwish,
    "LEAKY_RELU": LeakyRelu,
    "LOGISTIC": Activation,
    "TANH": Activation,
}
GROWERS = {
    **dict.fromkeys(FUNCTIONS, _Growing.function),
    "CONV_2D": _Growing.convolution,
    "DEPTHWISE_CONV_2D": _Growing.depthwise,
    "DEPTH_TO_SPACE": _Growing.depth_to_space,
    "FULLY_CONNECTED": _Growing.dense,
    "MAX_POOL_2D": _Growing.pool,
    "AVERAGE_POOL_2D": _Growing.pool,
    "MEAN": _Growing.mean,
    "REDUCE_MAX": _Growing.reduce_max,
    "ADD": _Growing.add,
    "SUB": _Growing.add,
    "MUL": _Growing.mul,
    "PRELU": _Growing.prelu,
    "CONCATENATION": _Growing.concatenation,
    "PAD": _Growing.pad,
    "QUANTIZE": _Growing.clamp,
    "RELU": _Growing.clamp,
    "RELU6": _Growing.clamp,
    "RESHAPE": _Growing.reshape,
    "SOFTMAX": _Growing.softmax,
}
