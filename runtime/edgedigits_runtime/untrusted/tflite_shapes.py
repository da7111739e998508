"""The shapes that the operators of a `.tflite` file compute.

LiteRT computes shapes itself and allocates memory for them: those in the file may be smaller, and have a placeholder
where a size is free. Operands that describe shapes are whole numbers, see tflite_numbers.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.untrusted.limits import WINDOW

Shape = tuple[int, ...]
Numbers = NDArray[np.int64]
Values = Mapping[str, Any]
"""Attributes of an operator, defaults included."""

ELEMENTWISE = {
    "ABS", "CAST", "CEIL", "COS", "CUMSUM", "DEQUANTIZE", "ELU", "EXP", "FLOOR", "GELU", "HARD_SWISH",
    "L2_NORMALIZATION", "LEAKY_RELU", "LOCAL_RESPONSE_NORMALIZATION", "LOG", "LOGICAL_NOT", "LOGISTIC", "LOG_SOFTMAX",
    "NEG", "QUANTIZE", "RELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1", "REVERSE_V2", "ROUND", "RSQRT", "SIGN", "SIN",
    "SOFTMAX", "SQRT", "SQUARE", "TANH",
}  # fmt: skip
BROADCASTING = {
    "ADD", "ADD_N", "DIV", "EQUAL", "FLOOR_DIV", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL", "LOGICAL_AND",
    "LOGICAL_OR", "MAXIMUM", "MINIMUM", "MUL", "NOT_EQUAL", "POW", "PRELU", "SELECT_V2", "SQUARED_DIFFERENCE", "SUB",
}  # fmt: skip


LSTM = "UNIDIRECTIONAL_SEQUENCE_LSTM"

NO_SHAPE = (0,)
"""No tensor has it."""


class UnknownNumbers(ValueError):
    """An operand that describes a shape is computed from the picture."""


@dataclass(frozen=True)
class Operands:
    """What is known of an operator before it runs.

    Attributes:
        shapes: of the inputs; NO_SHAPE for one that is left out before others.
        numbers: of the inputs; None for those that are not whole numbers, or not known.
        options: its attributes.
        outputs: how many it has.
    """

    shapes: list[Shape]
    numbers: list[Numbers | None]
    options: Values
    outputs: int

    def integers(self, slot: int) -> list[int]:
        """Return the whole numbers of an input; raise UnknownNumbers if they are not known."""
        numbers = self.numbers[slot]
        if numbers is None:
            raise UnknownNumbers(f"its input {slot} is computed from the picture")
        return [int(number) for number in numbers.ravel()]

    def axis(self, more: int = 0) -> int:
        """Return the attribute `axis` as a dimension of the first input, or of one with `more` dimensions."""
        return _dimension(self.options.get("axis", 0), len(self.shapes[0]) + more)


def computed_shapes(name: str, operands: Operands) -> list[Shape]:
    """Return the shape of each output of an operator, one of tflite_schema.OPERATORS.

    Raises:
        UnknownNumbers: it depends on the picture.
        ValueError, IndexError: the inputs and attributes contradict each other.
    """
    made = SHAPES[name](operands)
    return made if isinstance(made, list) else [made]


def _dimension(axis: int, rank: int) -> int:
    """Return a dimension counted from the start; negative ones count from the end."""
    if not -rank <= axis < rank:
        raise ValueError(f"dimension {axis} of {rank}")
    return axis % rank


def _convolved(operands: Operands) -> Shape:
    (*_, depth), (count, *window, taken) = map(_image, operands.shapes[:2])
    if depth % taken or count % (depth // taken):
        raise ValueError(f"{depth} channels with a kernel for {taken}")
    _check_bias(operands.shapes[2:], count)
    return _windows(operands, tuple(window), count)


def _convolved_by_channel(operands: Operands) -> Shape:
    (*_, depth), (one, *window, count) = map(_image, operands.shapes[:2])
    if one != 1 or count % depth or operands.options["depth_multiplier"] != count // depth:
        raise ValueError(f"a kernel of {list(operands.shapes[1])} for {depth} channels")
    _check_bias(operands.shapes[2:], count)
    return _windows(operands, tuple(window), count)


def _convolved_back(operands: Operands) -> Shape:
    """Return the requested shape, if a convolution of it would give the input."""
    batch, height, width, count = _image(tuple(operands.integers(0)))
    kernel, taken = _image(operands.shapes[1]), _image(operands.shapes[2])
    _check_bias(operands.shapes[3:], count)
    if min(height, width) < 1 or (batch, *_slid((height, width), kernel[1:3], operands.options)) != taken[:3]:
        raise ValueError(f"an output of {[batch, height, width, count]} has another input")
    if (count, taken[3]) != (kernel[0], kernel[3]):
        raise ValueError(f"a kernel of {list(kernel)} for {taken[3]} and {count} channels")
    return batch, height, width, count


def _pooled(operands: Operands) -> Shape:
    window = operands.options["filter_height"], operands.options["filter_width"]
    return _windows(operands, window, _image(operands.shapes[0])[3])


def _windows(operands: Operands, window: Shape, count: int) -> Shape:
    """Return the shape of an output with `count` values for each window of a picture."""
    batch, height, width, _ = _image(operands.shapes[0])
    return batch, *_slid((height, width), window, operands.options), count


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
    if shapes and math.prod(shapes[0]) != count:
        raise ValueError(f"{math.prod(shapes[0])} biases for {count} sums")


def _dense(operands: Operands) -> Shape:
    shapes = operands.shapes
    units, depth = shapes[1]
    if math.prod(shapes[0]) % depth:
        raise ValueError(f"{math.prod(shapes[0])} values in rows of {depth}")
    _check_bias(shapes[2:], units)
    if operands.options.get("keep_num_dims"):
        if shapes[0][-1:] != (depth,):
            raise ValueError(f"rows of {shapes[0][-1:]} for weights of {depth}")
        return *shapes[0][:-1], units
    return math.prod(shapes[0]) // depth, units


def _joined(operands: Operands) -> Shape:
    shapes, axis = operands.shapes, operands.axis()
    rest = {(shape[:axis], shape[axis + 1 :]) for shape in shapes}
    if len(rest) > 1:
        raise ValueError("they differ in another dimension")
    return *shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :]


def _stacked(operands: Operands) -> Shape:
    shapes = operands.shapes
    if set(shapes) != {shapes[0]} or operands.options["values_count"] != len(shapes):
        raise ValueError("expected inputs of one shape, and as many as values_count")
    axis = operands.axis(more=1)
    return *shapes[0][:axis], len(shapes), *shapes[0][axis:]


def _unstacked(operands: Operands) -> list[Shape]:
    (shape,), axis = operands.shapes, operands.axis()
    if not shape[axis] == operands.options.get("num", 0) == operands.outputs:
        raise ValueError(f"{shape[axis]} parts for {operands.outputs} outputs")
    return [(*shape[:axis], *shape[axis + 1 :])] * operands.outputs


def _split(operands: Operands) -> list[Shape]:
    (place,), shape, count = operands.integers(0), operands.shapes[1], operands.outputs
    axis = _dimension(place, len(shape))
    if operands.options.get("num_splits", 0) != count or shape[axis] % count:
        raise ValueError(f"{shape[axis]} values in {count} outputs")
    return [(*shape[:axis], shape[axis] // count, *shape[axis + 1 :])] * count


def _split_at(operands: Operands) -> list[Shape]:
    shape, sizes, (place,) = operands.shapes[0], operands.integers(1), operands.integers(2)
    axis = _dimension(place, len(shape))
    sizes = [size if size >= 0 else shape[axis] - sum(sizes) + size for size in sizes]
    if len(sizes) != operands.outputs or sum(sizes) != shape[axis] or min(sizes) < 1:
        raise ValueError(f"parts of {sizes[:8]} for {shape[axis]} values in {operands.outputs} outputs")
    return [(*shape[:axis], size, *shape[axis + 1 :]) for size in sizes]


def _gathered(operands: Operands) -> Shape:
    if operands.options.get("batch_dims", 0):
        raise ValueError("batch dimensions are not supported")
    (shape, indices), axis = operands.shapes, operands.axis()
    return *shape[:axis], *indices, *shape[axis + 1 :]


def _padded(operands: Operands) -> Shape:
    counts = operands.integers(1)
    if not all(0 <= count <= WINDOW for count in counts):
        raise ValueError(f"its paddings are {counts[:12]}")
    pairs = zip(operands.shapes[0], counts[::2], counts[1::2], strict=True)
    return tuple(size + before + after for size, before, after in pairs)


def _mirrored(operands: Operands) -> Shape:
    # A reflection (mode 0) leaves out the edge, and can reach no further than the other one.
    edge = 1 - operands.options.get("mode", 0)
    counts = operands.integers(1)
    pairs = zip(operands.shapes[0], counts[::2], counts[1::2], strict=True)
    if any(max(before, after) > size - edge for size, before, after in pairs):
        raise ValueError(f"its paddings are {counts[:12]}")
    return _padded(operands)


def _multiplied(operands: Operands) -> Shape:
    one, other = operands.shapes
    rows, inner = one[-2:][::-1] if operands.options.get("adj_x") else one[-2:]
    shared, columns = other[-2:][::-1] if operands.options.get("adj_y") else other[-2:]
    if inner != shared:
        raise ValueError(f"rows of {inner} with columns of {shared}")
    return *_broadcast([one[:-2], other[:-2]]), rows, columns


def _broadcast(shapes: list[Shape]) -> Shape:
    length = max(map(len, shapes))
    made = []
    for sizes in zip(*((1,) * (length - len(shape)) + shape for shape in shapes), strict=True):
        if len(set(sizes) - {1}) > 1:
            raise ValueError(" with ".join(map(str, sizes)))
        made.append(max(sizes))
    return tuple(made)


def _spread(operands: Operands) -> Shape:
    wanted = tuple(operands.integers(1))
    if _broadcast([operands.shapes[0], wanted]) != wanted:
        raise ValueError(f"{list(wanted)} is smaller")
    return wanted


def _selected(operands: Operands) -> Shape:
    condition, one, other = operands.shapes
    if one != other or condition not in (one, one[:1]):
        raise ValueError("expected equal shapes")
    return one


def _tiled(operands: Operands) -> Shape:
    times = _positive(operands.integers(1))
    return tuple(size * count for size, count in zip(operands.shapes[0], times, strict=True))


def _resized(operands: Operands) -> Shape:
    batch, _, _, depth = _image(operands.shapes[0])
    height, width = _positive(operands.integers(1))
    return batch, height, width, depth


def _positive(sizes: list[int]) -> Shape:
    if not all(1 <= size <= WINDOW for size in sizes):
        raise ValueError(f"its sizes are {sizes[:8]}")
    return tuple(sizes)


def _cut_into_batches(operands: Operands) -> Shape:
    (batch, *_, depth), blocks, counts = operands.shapes[0], _positive(operands.integers(1)), operands.integers(2)
    made = [(side + before + after, block) for side, block, before, after in _edges(operands, blocks, counts)]
    if min(counts) < 0 or max(counts) > WINDOW or any(side % block for side, block in made):
        raise ValueError(f"blocks of {list(blocks)} and paddings of {counts[:12]}")
    return batch * math.prod(blocks), *(side // block for side, block in made), depth


def _joined_from_batches(operands: Operands) -> Shape:
    (batch, *_, depth), blocks, counts = operands.shapes[0], _positive(operands.integers(1)), operands.integers(2)
    made = [side * block - before - after for side, block, before, after in _edges(operands, blocks, counts)]
    if min(counts) < 0 or min(made) < 1 or batch % math.prod(blocks):
        raise ValueError(f"blocks of {list(blocks)} and crops of {counts[:12]}")
    return batch // math.prod(blocks), *made, depth


def _edges(operands: Operands, blocks: Shape, counts: list[int]) -> Iterable[tuple[int, int, int, int]]:
    """Return each side between batch and channels with its block, and what is added or removed before and after."""
    return zip(operands.shapes[0][1:-1], blocks, counts[::2], counts[1::2], strict=True)


def _depth_to_space(operands: Operands) -> Shape:
    batch, height, width, depth = _image(operands.shapes[0])
    block = operands.options["block_size"]
    if depth % block**2:
        raise ValueError(f"{depth} channels in blocks of {block}")
    return batch, height * block, width * block, depth // block**2


def _space_to_depth(operands: Operands) -> Shape:
    batch, height, width, depth = _image(operands.shapes[0])
    block = operands.options["block_size"]
    if height % block or width % block:
        raise ValueError(f"{height}x{width} in blocks of {block}")
    return batch, height // block, width // block, depth * block**2


def _reshaped(operands: Operands) -> Shape:
    before = math.prod(operands.shapes[0])
    is_vector = len(operands.shapes) > 1 and len(operands.shapes[1]) == 1
    wanted = operands.integers(1) if is_vector else list(operands.options.get("new_shape", ()))
    rest = math.prod(size for size in wanted if size != -1)
    if wanted.count(-1) == 1 and rest > 0:
        wanted = [before // rest if size == -1 else size for size in wanted]
    if min(wanted, default=1) < 1 or math.prod(wanted) != before:
        raise ValueError(f"{before} values in the shape {wanted[:8]}")
    return tuple(wanted)


def _squeezed(operands: Operands) -> Shape:
    shape = operands.shapes[0]
    dropped = {_dimension(axis, len(shape)) for axis in operands.options.get("squeeze_dims", ())}
    dropped = dropped or {axis for axis, size in enumerate(shape) if size == 1}
    if any(shape[axis] != 1 for axis in dropped):
        raise ValueError(f"dimensions {sorted(dropped)} are not 1")
    return tuple(size for axis, size in enumerate(shape) if axis not in dropped)


def _expanded(operands: Operands) -> Shape:
    shape, (place,) = operands.shapes[0], operands.integers(1)
    axis = _dimension(place, len(shape) + 1)
    return *shape[:axis], 1, *shape[axis:]


def _transposed(operands: Operands) -> Shape:
    shape, order = operands.shapes[0], operands.integers(1)
    if sorted(order) != list(range(len(shape))):
        raise ValueError(f"the order {order[:8]}")
    return tuple(shape[axis] for axis in order)


def _reduced(operands: Operands) -> Shape:
    shape = operands.shapes[0]
    axes = {_dimension(axis, len(shape)) for axis in operands.integers(1)}
    if operands.options.get("keep_dims"):
        return tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    return tuple(size for axis, size in enumerate(shape) if axis not in axes)


def _cut(operands: Operands) -> Shape:
    begins, sizes = operands.integers(1), operands.integers(2)
    rows = list(zip(operands.shapes[0], begins, sizes, strict=True))
    made = [side - begin if size == -1 else size for side, begin, size in rows]
    if any(
        not 0 <= begin <= begin + size <= side or size < 1 for (side, begin, _), size in zip(rows, made, strict=True)
    ):
        raise ValueError(f"a part of {made[:8]} at {begins[:8]}")
    return tuple(made)


def strided(operands: Operands) -> tuple[Any, ...]:
    """Return STRIDED_SLICE as a NumPy index."""
    begins, ends, strides = map(operands.integers, (1, 2, 3))
    options, index = operands.options, list[Any]()
    for place, (begin, end, stride) in enumerate(zip(begins, ends, strides, strict=True)):
        has = {name: bool(options.get(f"{name}_mask", 0) >> place & 1) for name in
               ("begin", "end", "ellipsis", "new_axis", "shrink_axis")}  # fmt: skip
        if has["ellipsis"]:
            index.append(Ellipsis)
        elif has["new_axis"]:
            index.append(np.newaxis)
        elif has["shrink_axis"]:
            index.append(begin)
        else:
            index.append(slice(None if has["begin"] else begin, None if has["end"] else end, stride))
    return tuple(index)


def _sliced(operands: Operands) -> Shape:
    made: Shape = np.broadcast_to(np.int8(0), operands.shapes[0])[strided(operands)].shape
    if 0 in made:
        raise ValueError("nothing is left")
    return made


def _remembered(operands: Operands) -> Shape:
    """Return the output of an LSTM; each operand that is not left out has the size that its kernel reads."""
    shapes = operands.shapes
    (first, second, taken), (cells, _), (_, made) = shapes[0], shapes[2], shapes[6]
    batch = second if operands.options.get("time_major") else first
    fed, kept, each = (cells, taken), (cells, made), (cells,)
    expected = [shapes[0], *[fed] * 4, *[kept] * 4, *[each] * 7, (made, cells), (made,), (batch, made), (batch, cells)]
    for slot, (shape, wanted) in enumerate(zip(shapes, [*expected, *[each] * 4], strict=False)):
        if shape != wanted and not (shape == NO_SHAPE and slot in LEFT_OUT):
            raise ValueError(f"its input {slot} is {list(shape)}, expected {list(wanted)}")
    if shapes[16] == NO_SHAPE and made != cells:
        raise ValueError(f"{made} outputs of {cells} cells without a projection")
    return first, second, made


LEFT_OUT = (1, 5, 9, 10, 11, 12, 16, 17, 20, 21, 22, 23)
"""Inputs that an LSTM with coupled gates, or without peepholes, projection or normalisation lacks."""

SHAPES: dict[str, Callable[[Operands], Shape | list[Shape]]] = {
    **dict.fromkeys(ELEMENTWISE, lambda operands: operands.shapes[0]),
    **dict.fromkeys(BROADCASTING, lambda operands: _broadcast(operands.shapes)),
    "AVERAGE_POOL_2D": _pooled,
    "BATCH_MATMUL": _multiplied,
    "BATCH_TO_SPACE_ND": _joined_from_batches,
    "BROADCAST_TO": _spread,
    "CONCATENATION": _joined,
    "CONV_2D": _convolved,
    "DEPTHWISE_CONV_2D": _convolved_by_channel,
    "DEPTH_TO_SPACE": _depth_to_space,
    "EXPAND_DIMS": _expanded,
    "FILL": lambda operands: _positive(operands.integers(0)),
    "FULLY_CONNECTED": _dense,
    "GATHER": _gathered,
    "MAX_POOL_2D": _pooled,
    "MIRROR_PAD": _mirrored,
    "PACK": _stacked,
    "PAD": _padded,
    "PADV2": _padded,
    "RESHAPE": _reshaped,
    "RESIZE_BILINEAR": _resized,
    "RESIZE_NEAREST_NEIGHBOR": _resized,
    "SELECT": _selected,
    "SHAPE": lambda operands: (len(operands.shapes[0]),),
    "SLICE": _cut,
    "SPACE_TO_BATCH_ND": _cut_into_batches,
    "SPACE_TO_DEPTH": _space_to_depth,
    "SPLIT": _split,
    "SPLIT_V": _split_at,
    "SQUEEZE": _squeezed,
    "STRIDED_SLICE": _sliced,
    **dict.fromkeys(("MEAN", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "SUM"), _reduced),
    "TILE": _tiled,
    "TRANSPOSE": _transposed,
    "TRANSPOSE_CONV": _convolved_back,
    LSTM: _remembered,
    "UNPACK": _unstacked,
}
