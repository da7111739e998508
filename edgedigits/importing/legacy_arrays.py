"""Translate slices and other array functions of TensorFlow in a Keras 2 network into operations of Keras 3."""

from collections.abc import Callable
from typing import Any, NamedTuple

from edgedigits.importing.legacy_layers import Layer
from edgedigits_exporters.untrusted_legacy_keras import LEGACY_ELLIPSIS
from edgedigits_runtime.untrusted.limits import WINDOW

ARRAY = "keras.src.ops.numpy"
MATH = "keras.src.ops.math"

MOST_PARTS = 64
"""Outputs of a Split."""


class Tensor(NamedTuple):
    """An output of a call of a layer: the layer, the number of the call, and of the output."""

    layer: str
    call: int
    output: int


Step = tuple[Layer, list[Tensor]]
"""A layer and its inputs."""

Function = Callable[[Any, dict[str, Any]], Step]
"""Makes a step of a function's first argument and the others by name; raises Unclear for arguments without a layer."""


class Unclear(Exception):
    """These arguments have no layer."""


def _operation(name: str, module: str = ARRAY) -> Function:
    """Return a function of one tensor without other arguments."""

    def make(x: Any, given: dict[str, Any]) -> Step:
        if given:
            raise Unclear
        return Layer(name, {}, module), [x]

    return make


def reduction(name: str) -> Function:
    """Return a function over axes other than the batch."""

    def make(x: Any, given: dict[str, Any]) -> Step:
        axes, keep = given.pop("axis"), bool(given.pop("keepdims", False))
        _without_batch(axes, given)
        return Layer(name, {"axis": axes, "keepdims": keep}, ARRAY), [x]

    return make


def _without_batch(axes: Any, given: dict[str, Any]) -> None:
    numbers = axes if isinstance(axes, list) else [axes]
    if given or not numbers or not all(type(axis) is int and axis != 0 for axis in numbers):
        raise Unclear


def _along_axis(name: str) -> Function:
    def make(x: Any, given: dict[str, Any]) -> Step:
        axis = given.pop("axis")
        _without_batch(axis, given)
        return Layer(name, {"axis": axis}, ARRAY), x if isinstance(x, list) else [x]

    return make


def _get_item(x: Any, given: dict[str, Any]) -> Step:
    parts = [_index(part) for part in given.pop("slice_spec")]
    # Every image is kept.
    if given or not parts or parts[0] not in (_slice(), ELLIPSIS):
        raise Unclear
    return Layer("GetItem", {}, ARRAY, (parts,)), [x]


ELLIPSIS = {**LEGACY_ELLIPSIS, "config": {}}


def _slice(start: Any = None, stop: Any = None, step: Any = None) -> dict[str, Any]:
    """Return a slice as Keras 3 writes it."""
    if not all(number is None or type(number) is int for number in (start, stop, step)):
        raise Unclear
    return {"class_name": "__slice__", "config": {"start": start, "stop": stop, "step": step}}


def _index(part: Any) -> Any:
    if part == LEGACY_ELLIPSIS:
        return ELLIPSIS
    if isinstance(part, dict):
        return _slice(**part)
    if part is not None and type(part) is not int:
        raise Unclear
    return part


def _strided_slice(x: Any, given: dict[str, Any]) -> Step:
    begin, end = given.pop("begin"), given.pop("end")
    strides = given.pop("strides", [1] * len(begin))
    masks = {name: given.pop(f"{name}_mask", 0) for name in ("begin", "end", "shrink_axis")}
    if any(given.values()):
        raise Unclear
    spec: list[Any] = []
    for axis, (start, stop, step) in enumerate(zip(begin, end, strides, strict=True)):
        free = {name: mask >> axis & 1 for name, mask in masks.items()}
        sliced = {"start": None if free["begin"] else start, "stop": None if free["end"] else stop, "step": step}
        spec.append(start if free["shrink_axis"] else sliced)
    if spec[0] == {"start": None, "stop": None, "step": 1}:
        spec[0]["step"] = None
    return _get_item(x, {"slice_spec": spec})


def _slice_of_size(x: Any, given: dict[str, Any]) -> Step:
    begin, size = given.pop("begin"), given.pop("size")
    ends = [None if count == -1 else start + count for start, count in zip(begin, size, strict=True)]
    spec = [{"start": start or None, "stop": stop} for start, stop in zip(begin, ends, strict=True)]
    return _get_item(x, {"slice_spec": spec, **given})


def _split(x: Any, given: dict[str, Any]) -> Step:
    parts, axis = given.pop("num_or_size_splits"), given.pop("axis")
    _without_batch(axis, given)
    if type(parts) is not int or not 0 < parts <= MOST_PARTS:
        raise Unclear
    return Layer("Split", {"indices_or_sections": parts, "axis": axis}, ARRAY, outputs=parts), [x]


def _power(x: Any, given: dict[str, Any]) -> Step:
    exponent = given.pop("y")
    if given or type(exponent) not in (int, float):
        raise Unclear
    return Layer("Power", {}, ARRAY, (float(exponent),)), [x]


def _product(x: Any, given: dict[str, Any]) -> Step:
    y = given.pop("b")
    if any(given.values()):
        raise Unclear
    return Layer("Matmul", {}, ARRAY), [x, y]


def quotient_of_tensors(x: Any, y: Any) -> Step:
    return Layer("TrueDivide", {}, ARRAY), [x, y]


def _take(x: Any, given: dict[str, Any]) -> Step:
    indices, axis = given.pop("indices"), given.pop("axis")
    _without_batch(axis, {} if not any(given.values()) else given)
    if not isinstance(indices, list) or not all(type(number) is int for number in indices):
        raise Unclear
    return Layer("Take", {"axis": axis}, ARRAY, (indices,)), [x]


def _pad(x: Any, given: dict[str, Any]) -> Step:
    batch, *pads, channels = given.pop("paddings")
    if (given.pop("mode", "CONSTANT"), given.pop("constant_values", 0)) != ("CONSTANT", 0) or any(given.values()):
        raise Unclear
    if batch != [0, 0] or channels != [0, 0] or len(pads) != 2 or not all(0 <= n <= WINDOW for p in pads for n in p):
        raise Unclear
    return Layer("ZeroPadding2D", {"padding": pads}), [x]


def _flip(axis: int) -> Function:
    def make(x: Any, given: dict[str, Any]) -> Step:
        if given:
            raise Unclear
        return Layer("Flip", {"axis": axis}, ARRAY), [x]

    return make


ARRAY_FUNCTIONS: dict[str, Function] = {
    "__operators__.getitem": _get_item,
    "compat.v1.gather": _take,
    "compat.v1.pad": _pad,
    "compat.v1.squeeze": _along_axis("Squeeze"),
    "expand_dims": _along_axis("ExpandDims"),
    "gather": _take,
    "image.flip_left_right": _flip(2),
    "image.flip_up_down": _flip(1),
    "linalg.matmul": _product,
    "math.abs": _operation("Absolute"),
    "math.exp": _operation("Exp"),
    "math.log": _operation("Log"),
    "math.pow": _power,
    "math.reduce_min": reduction("Min"),
    "math.reduce_sum": reduction("Sum"),
    "math.rsqrt": _operation("Rsqrt", MATH),
    "math.sqrt": _operation("Sqrt"),
    "math.square": _operation("Square"),
    "pad": _pad,
    "slice": _slice_of_size,
    "split": _split,
    "squeeze": _along_axis("Squeeze"),
    "stack": _along_axis("Stack"),
    "strided_slice": _strided_slice,
}
