"""The output shape of each operator of a `.tflite` file, compared with the shape in the file.

LiteRT computes shapes itself and allocates memory for them. A file whose shapes are smaller than what its operators
make would get more memory than the limits allow.
"""

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edgedigits_runtime.untrusted.limits import WINDOW
from edgedigits_runtime.untrusted.tflite_model import StoredTensor

Shape = tuple[int, ...]
Values = Mapping[str, Any]
"""Attributes of an operator, defaults included."""

ELEMENTWISE = {
    "ABS", "CAST", "DEQUANTIZE", "ELU", "EXP", "GELU", "HARD_SWISH", "L2_NORMALIZATION", "LEAKY_RELU",
    "LOCAL_RESPONSE_NORMALIZATION", "LOGISTIC", "LOG_SOFTMAX", "NEG", "QUANTIZE", "RELU", "RELU6", "RELU_0_TO_1",
    "RELU_N1_TO_1", "RSQRT", "SOFTMAX", "SQRT", "SQUARE", "TANH",
}  # fmt: skip
REARRANGING = {"EXPAND_DIMS", "RESHAPE", "SQUEEZE", "TRANSPOSE"}
REDUCING = {"MEAN", "REDUCE_MAX", "REDUCE_MIN", "SLICE", "STRIDED_SLICE", "SUM"}
BROADCASTING = {"ADD", "DIV", "MAXIMUM", "MINIMUM", "MUL", "PRELU", "SQUARED_DIFFERENCE", "SUB"}


def find_shape_problem(name: str, inputs: Sequence[StoredTensor], output: StoredTensor, options: Values) -> str:
    """Return the mismatch between an operator's inputs and the shape of its output; empty where there is none.

    Args:
        name: of the operator, one of tflite_schema.OPERATORS.
        inputs, output: its tensors; inputs that are left out are missing.
        options: the operator's attributes.
    """
    shapes, stored = [tensor.shape for tensor in inputs], output.shape
    if name in REARRANGING or name in REDUCING:
        before, after = math.prod(shapes[0]), math.prod(stored)
        if after == before or (name in REDUCING and after < before):
            return ""
        return f"makes {after} values of {before}"
    try:
        computed = _computed(name, shapes, inputs, options)
    except (ValueError, IndexError, struct.error) as error:
        return f"does not fit its inputs of {' and '.join(str(list(shape)) for shape in shapes[:4])}: {error}"
    return "" if computed == stored else f"makes the shape {list(computed)}, the file has {list(stored)}"


def _computed(name: str, shapes: list[Shape], inputs: Sequence[StoredTensor], options: Values) -> Shape:
    if name in ELEMENTWISE:
        return shapes[0]
    if name in BROADCASTING:
        return _broadcast(*shapes[:2])
    if name in ("PAD", "PADV2"):
        return _padded(shapes[0], inputs[1])
    return SHAPES[name](shapes, options)


def _convolved(shapes: list[Shape], options: Values) -> Shape:
    batch, height, width, depth = _image(shapes[0])
    count, *window, taken = _image(shapes[1])
    if depth % taken or count % (depth // taken):
        raise ValueError(f"{depth} channels with a kernel for {taken}")
    _check_bias(shapes, count)
    return batch, *_slid((height, width), tuple(window), options), count


def _convolved_by_channel(shapes: list[Shape], options: Values) -> Shape:
    batch, height, width, depth = _image(shapes[0])
    one, *window, count = _image(shapes[1])
    if one != 1 or count % depth or options["depth_multiplier"] != count // depth:
        raise ValueError(f"a kernel of {list(shapes[1])} for {depth} channels")
    _check_bias(shapes, count)
    return batch, *_slid((height, width), tuple(window), options), count


def _pooled(shapes: list[Shape], options: Values) -> Shape:
    batch, height, width, depth = _image(shapes[0])
    return batch, *_slid((height, width), (options["filter_height"], options["filter_width"]), options), depth


def _slid(sizes: tuple[int, int], window: Shape, options: Values) -> Shape:
    """Return the number of windows along height and width, with padding SAME (0) or VALID (1)."""
    made = []
    for size, extent, axis in zip(sizes, window, "hw", strict=True):
        stride, dilation = options[f"stride_{axis}"], options.get(f"dilation_{axis}_factor", 1)
        covered = size if options["padding"] == 0 else size - (extent - 1) * dilation
        if covered < 1:
            raise ValueError(f"a window of {extent} in {size}")
        made.append(-(-covered // stride))
    return tuple(made)


def _image(shape: Shape) -> Shape:
    if len(shape) != 4:
        raise ValueError(f"expected four dimensions, got {len(shape)}")
    return shape


def _check_bias(shapes: list[Shape], count: int) -> None:
    if len(shapes) > 2 and math.prod(shapes[2]) != count:
        raise ValueError(f"{math.prod(shapes[2])} biases for {count} sums")


def _dense(shapes: list[Shape], options: Values) -> Shape:
    units, depth = shapes[1]
    if math.prod(shapes[0]) % depth:
        raise ValueError(f"{math.prod(shapes[0])} values in rows of {depth}")
    _check_bias(shapes, units)
    if options.get("keep_num_dims"):
        return *shapes[0][:-1], units
    return math.prod(shapes[0]) // depth, units


def _joined(shapes: list[Shape], options: Values) -> Shape:
    axis = range(len(shapes[0]))[options.get("axis", 0)]
    rest = {(shape[:axis], shape[axis + 1 :]) for shape in shapes}
    if len(rest) > 1:
        raise ValueError("they differ in another dimension")
    return *shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :]


def _stacked(shapes: list[Shape], options: Values) -> Shape:
    if set(shapes) != {shapes[0]} or options["values_count"] != len(shapes):
        raise ValueError("expected inputs of one shape, and as many as values_count")
    axis = range(len(shapes[0]) + 1)[options.get("axis", 0)]
    return *shapes[0][:axis], len(shapes), *shapes[0][axis:]


def _gathered(shapes: list[Shape], options: Values) -> Shape:
    if options.get("batch_dims", 0):
        raise ValueError("batch dimensions are not supported")
    axis = range(len(shapes[0]))[options.get("axis", 0)]
    return *shapes[0][:axis], *shapes[1], *shapes[0][axis + 1 :]


def _padded(shape: Shape, paddings: StoredTensor) -> Shape:
    letter = {"INT32": "i", "INT64": "q"}.get(paddings.dtype)
    if letter is None:
        raise ValueError(f"its paddings are {paddings.dtype}")
    counts = struct.unpack(f"<{2 * len(shape)}{letter}", paddings.data)
    if not all(0 <= count <= WINDOW for count in counts):
        raise ValueError(f"its paddings are {list(counts)}")
    return tuple(size + before + after for size, before, after in zip(shape, counts[::2], counts[1::2], strict=True))


def _multiplied(shapes: list[Shape], options: Values) -> Shape:
    one, other = shapes
    rows, inner = one[-2:][::-1] if options.get("adj_x") else one[-2:]
    shared, columns = other[-2:][::-1] if options.get("adj_y") else other[-2:]
    if inner != shared:
        raise ValueError(f"rows of {inner} with columns of {shared}")
    return *_broadcast(one[:-2], other[:-2]), rows, columns


def _broadcast(one: Shape, other: Shape) -> Shape:
    length = max(len(one), len(other))
    pairs = zip((1,) * (length - len(one)) + one, (1,) * (length - len(other)) + other, strict=True)
    made = []
    for first, second in pairs:
        if first != second and 1 not in (first, second):
            raise ValueError(f"{first} with {second}")
        made.append(max(first, second))
    return tuple(made)


SHAPES: dict[str, Callable[[list[Shape], Values], Shape]] = {
    "AVERAGE_POOL_2D": _pooled,
    "BATCH_MATMUL": _multiplied,
    "CONCATENATION": _joined,
    "CONV_2D": _convolved,
    "DEPTHWISE_CONV_2D": _convolved_by_channel,
    "FULLY_CONNECTED": _dense,
    "GATHER": _gathered,
    "MAX_POOL_2D": _pooled,
    "PACK": _stacked,
    "SHAPE": lambda shapes, _: (len(shapes[0]),),
}
