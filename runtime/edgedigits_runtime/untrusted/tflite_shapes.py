"""What shape each operator of a `.tflite` file gives, to hold against the shape that the file says.

LiteRT works shapes out anew, and asks for the memory: a file that says less than its operators make would get more
than was looked at. https://ai.google.dev/edge/litert/conversion/tensorflow/operations_compatibility names operators.
"""

import math
import struct
from collections.abc import Callable, Sequence

from edgedigits_runtime.untrusted.flatbuffer import Table
from edgedigits_runtime.untrusted.limits import WINDOW

Shape = tuple[int, ...]
Data = Callable[[Table], bytes]

ELEMENTWISE = {
    "ABS", "CAST", "DEQUANTIZE", "ELU", "EXP", "GELU", "HARD_SWISH", "L2_NORMALIZATION", "LEAKY_RELU",
    "LOCAL_RESPONSE_NORMALIZATION", "LOGISTIC", "LOG_SOFTMAX", "NEG", "QUANTIZE", "RELU", "RELU6", "RELU_N1_TO_1",
    "RSQRT", "SOFTMAX", "SQRT", "SQUARE", "TANH",
}  # fmt: skip
REARRANGING = {"EXPAND_DIMS", "RESHAPE", "SQUEEZE", "TRANSPOSE"}
REDUCING = {"MEAN", "REDUCE_MAX", "REDUCE_MIN", "SLICE", "STRIDED_SLICE", "SUM"}
BROADCASTING = {"ADD", "DIV", "MAXIMUM", "MINIMUM", "MUL", "PRELU", "SQUARED_DIFFERENCE", "SUB"}


def check_output_shape(name: str, inputs: Sequence[Table], output: Table, options: Table, data: Data) -> str:
    """Return what is wrong about the shape of an operator's output; empty where nothing is.

    Args:
        name: of the operator, one of tflite_schema.OPERATORS.
        inputs, output: tensors, each with its shape.
        options: the operator's attributes.
        data: returns the bytes of a constant tensor.
    """
    shapes = [tensor.get("shape", ()) for tensor in inputs]
    said: Shape = output.get("shape", ())
    if name in REARRANGING or name in REDUCING:
        before, after = math.prod(shapes[0]), math.prod(said)
        if after == before or (name in REDUCING and after < before):
            return ""
        return f"makes {after} values of {before}"
    try:
        made = said if name in ELEMENTWISE and said == shapes[0] else _made(name, shapes, inputs, options, data)
    except (ValueError, IndexError, struct.error) as error:
        return f"does not fit its inputs of {_listed(shapes)}: {error}"
    return "" if made == said else f"gives {list(made)}, the file says {list(said)}"


def _made(name: str, shapes: list[Shape], inputs: Sequence[Table], options: Table, data: Data) -> Shape:
    if name in ELEMENTWISE:
        return shapes[0]
    if name in BROADCASTING:
        return _broadcast(*shapes[:2])
    if name in ("PAD", "PADV2"):
        return _padded(shapes[0], inputs[1], data)
    if name == "BATCH_MATMUL":
        return _multiplied(shapes[0], shapes[1], options)
    return MADE[name](shapes, options)


def _convolved(shapes: list[Shape], options: Table) -> Shape:
    batch, height, width, depth = _image(shapes[0])
    count, *window, taken = _image(shapes[1])
    if depth % taken or count % (depth // taken):
        raise ValueError(f"{depth} channels with a kernel for {taken}")
    _check_bias(shapes, count)
    return batch, *_slid((height, width), tuple(window), options), count


def _convolved_by_channel(shapes: list[Shape], options: Table) -> Shape:
    batch, height, width, depth = _image(shapes[0])
    one, *window, count = _image(shapes[1])
    if one != 1 or count % depth or options.get("depth_multiplier", 0) != count // depth:
        raise ValueError(f"a kernel of {list(shapes[1])} for {depth} channels")
    _check_bias(shapes, count)
    return batch, *_slid((height, width), tuple(window), options), count


def _pooled(shapes: list[Shape], options: Table) -> Shape:
    batch, height, width, depth = _image(shapes[0])
    return batch, *_slid((height, width), (options["filter_height"], options["filter_width"]), options), depth


def _slid(sizes: tuple[int, int], window: Shape, options: Table) -> Shape:
    """Return how often a window fits along height and width: with padding SAME, 0, or VALID, 1."""
    made = []
    for size, extent, axis in zip(sizes, window, "hw", strict=True):
        stride, dilation = options[f"stride_{axis}"], options.get(f"dilation_{axis}_factor", 1)
        covered = size if options.get("padding", 0) == 0 else size - (extent - 1) * dilation
        if covered < 1:
            raise ValueError(f"a window of {extent} in {size}")
        made.append(-(-covered // stride))
    return tuple(made)


def _image(shape: Shape) -> Shape:
    if len(shape) != 4:
        raise ValueError(f"four dimensions are needed, there are {len(shape)}")
    return shape


def _check_bias(shapes: list[Shape], count: int) -> None:
    if len(shapes) > 2 and math.prod(shapes[2]) != count:
        raise ValueError(f"{math.prod(shapes[2])} biases for {count} sums")


def _dense(shapes: list[Shape], options: Table) -> Shape:
    units, depth = shapes[1]
    if math.prod(shapes[0]) % depth:
        raise ValueError(f"{math.prod(shapes[0])} values in rows of {depth}")
    _check_bias(shapes, units)
    if options.get("keep_num_dims"):
        return *shapes[0][:-1], units
    return math.prod(shapes[0]) // depth, units


def _joined(shapes: list[Shape], options: Table) -> Shape:
    axis = range(len(shapes[0]))[options.get("axis", 0)]
    rest = {(shape[:axis], shape[axis + 1 :]) for shape in shapes}
    if len(rest) > 1:
        raise ValueError("they differ in another dimension")
    return *shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :]


def _stacked(shapes: list[Shape], options: Table) -> Shape:
    if set(shapes) != {shapes[0]} or options["values_count"] != len(shapes):
        raise ValueError("they are not alike, or not as many as it says")
    axis = range(len(shapes[0]) + 1)[options.get("axis", 0)]
    return *shapes[0][:axis], len(shapes), *shapes[0][axis:]


def _gathered(shapes: list[Shape], options: Table) -> Shape:
    if options.get("batch_dims", 0):
        raise ValueError("batch dimensions are not let through")
    axis = range(len(shapes[0]))[options.get("axis", 0)]
    return *shapes[0][:axis], *shapes[1], *shapes[0][axis + 1 :]


def _rank(shapes: list[Shape], _: Table) -> Shape:
    return (len(shapes[0]),)


def _padded(shape: Shape, paddings: Table, data: Data) -> Shape:
    letter = {2: "i", 4: "q"}.get(paddings.get("type", 0))
    if letter is None:
        raise ValueError("its paddings are no integers")
    counts = struct.unpack(f"<{2 * len(shape)}{letter}", data(paddings))
    if not all(0 <= count <= WINDOW for count in counts):
        raise ValueError(f"its paddings are {list(counts)}")
    return tuple(size + before + after for size, before, after in zip(shape, counts[::2], counts[1::2], strict=True))


def _multiplied(one: Shape, other: Shape, options: Table) -> Shape:
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


def _listed(shapes: Sequence[Shape]) -> str:
    return " and ".join(str(list(shape)) for shape in shapes[:4])


MADE: dict[str, Callable[[list[Shape], Table], Shape]] = {
    "AVERAGE_POOL_2D": _pooled,
    "CONCATENATION": _joined,
    "CONV_2D": _convolved,
    "DEPTHWISE_CONV_2D": _convolved_by_channel,
    "FULLY_CONNECTED": _dense,
    "GATHER": _gathered,
    "MAX_POOL_2D": _pooled,
    "PACK": _stacked,
    "SHAPE": _rank,
}
