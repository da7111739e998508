"""Translate the TensorFlow functions in a Keras 2 network, such as `x / 255 - 1`, into layers of Keras 3."""

import math
from collections.abc import Callable
from typing import Any

from edgedigits.importing.legacy_arrays import (
    ARRAY_FUNCTIONS,
    Function,
    Step,
    Tensor,
    Unclear,
    quotient_of_tensors,
    reduction,
)
from edgedigits.importing.legacy_layers import Layer
from edgedigits_runtime.errors import ArtifactUnsupported
from edgedigits_runtime.untrusted.limits import WINDOW

Rule = Callable[[float], tuple[float, float]]
"""Makes scale and offset of a constant."""


def translate_operation(name: str, function: str, first: Any, arguments: dict[str, Any]) -> Step:
    """Return the layer that computes what a TensorFlow function does.

    Args:
        name: of the layer that calls it.
        function: one of FUNCTIONS.
        first: a Tensor, a number, or a list of them.
        arguments: the other arguments by name.

    Raises:
        ArtifactUnsupported: no layer computes it with these arguments.
    """
    given = {key: value for key, value in arguments.items() if value is not None and key != "name"}
    try:
        layer, inputs = FUNCTIONS[function](first, given)
        if not inputs or not all(isinstance(part, Tensor) for part in inputs):
            raise Unclear
    except (Unclear, KeyError, TypeError, ValueError) as error:
        operands = {"": first, **given}
        raise ArtifactUnsupported(
            f"layer {name[:60]!r}: the function {function} is not supported with {str(operands)[:120]}; use a layer of"
            " Keras in its place, or convert the model to ONNX with tf2onnx and import that"
        ) from error
    return layer, inputs


def _rescaling(tensor: Tensor, scale: Any, offset: Any) -> Step:
    return Layer("Rescaling", {"scale": scale, "offset": offset}), [tensor]


def _arithmetic(merge: str | None, right: Rule | None, left: Rule | None) -> Function:
    """Return a function of two tensors (a merging layer), or of one and a constant to its right or left (rules)."""

    def make(x: Any, given: dict[str, Any]) -> Step:
        y = given.pop("y")
        if given:
            raise Unclear
        if merge and isinstance(x, Tensor) and isinstance(y, Tensor):
            return quotient_of_tensors(x, y) if merge == "TrueDivide" else (Layer(merge, {}), [x, y])
        tensor, constant, rule = (x, y, right) if isinstance(x, Tensor) else (y, x, left)
        if rule is None:
            raise Unclear
        pairs = [rule(number) for number in _vector(constant)]
        scale, offset = ([float(part) for part in column] for column in zip(*pairs, strict=True))
        return _rescaling(tensor, *(scale[0], offset[0]) if len(pairs) == 1 else (scale, offset))

    return make


def _vector(constant: Any) -> list[float]:
    """Return a constant that applies to the last axis as a list."""
    while isinstance(constant, list) and len(constant) == 1:
        constant = constant[0]
    numbers = constant if isinstance(constant, list) else [constant]
    if not numbers or not all(isinstance(number, int | float) and math.isfinite(number) for number in numbers):
        raise Unclear
    return numbers


def _quotient(number: float) -> tuple[float, float]:
    if number == 0:
        raise Unclear
    return 1 / number, 0


def _only(layer: str, **config: Any) -> Function:
    """Return a function of one tensor without other arguments."""

    def make(x: Any, given: dict[str, Any]) -> Step:
        if given:
            raise Unclear
        return Layer(layer, config), [x]

    return make


def _activation(name: str) -> Function:
    return _only("Activation", activation=name)


def _pooling(kind: str) -> Function:
    def make(x: Any, given: dict[str, Any]) -> Step:
        axis, keep = given["axis"], bool(given.get("keepdims", False))
        dimensions = {(1, 2): "2D", (-3, -2): "2D", (1,): "1D", (-2,): "1D"}.get(
            tuple(axis) if isinstance(axis, list) else (axis,)
        )
        if dimensions is None:
            return reduction({"Average": "Mean", "Max": "Max"}[kind])(x, given)
        if given.keys() - {"axis", "keepdims"}:
            raise Unclear
        return Layer(f"Global{kind}Pooling{dimensions}", {"keepdims": keep}), [x]

    return make


def _reshape(x: Any, given: dict[str, Any]) -> Step:
    batch, *shape = given.pop("shape")
    if batch != -1 or given or not all(isinstance(size, int) and 0 < size <= WINDOW for size in shape):
        raise Unclear
    return Layer("Reshape", {"target_shape": shape}), [x]


def _permute(x: Any, given: dict[str, Any]) -> Step:
    batch, *axes = given.pop("perm")
    if batch != 0 or given.pop("conjugate", False) or given:
        raise Unclear
    return Layer("Permute", {"dims": axes}), [x]


def _concatenate(tensors: Any, given: dict[str, Any]) -> Step:
    return Layer("Concatenate", {"axis": given["axis"]}), tensors


def _three_channels(x: Any, _: dict[str, Any]) -> Step:
    return Layer("Concatenate", {"axis": -1}), [x, x, x]


def _resize(x: Any, given: dict[str, Any]) -> Step:
    (height, width), method = given.pop("size"), given.pop("method", "bilinear")
    if given or method not in ("bilinear", "nearest") or not (0 < height <= WINDOW and 0 < width <= WINDOW):
        raise Unclear
    return Layer("Resizing", {"height": height, "width": width, "interpolation": method}), [x]


def _bias(x: Any, given: dict[str, Any]) -> Step:
    return FUNCTIONS["math.add"](x, {"y": given["bias"]})


def _cast(x: Any, given: dict[str, Any]) -> Step:
    """Return a Rescaling by 1, which casts integers, as other layers do not."""
    if given != {"dtype": "float32"}:
        raise Unclear
    return _rescaling(x, 1.0, 0.0)


def _clip(x: Any, given: dict[str, Any]) -> Step:
    if given.pop("clip_value_min") != 0 or not isinstance(highest := given.pop("clip_value_max"), int | float) or given:
        raise Unclear
    return Layer("ReLU", {"max_value": float(highest)}), [x]


def _leaky_relu(x: Any, given: dict[str, Any]) -> Step:
    return Layer("LeakyReLU", {"negative_slope": given.get("alpha", 0.2)}), [x]


def _softmax(x: Any, given: dict[str, Any]) -> Step:
    return Layer("Softmax", {"axis": given.get("axis", -1)}), [x]


_add = _arithmetic("Add", lambda number: (1, number), lambda number: (1, number))
_subtract = _arithmetic("Subtract", lambda number: (1, -number), lambda number: (-1, number))
_multiply = _arithmetic("Multiply", lambda number: (number, 0), lambda number: (number, 0))
_divide = _arithmetic("TrueDivide", _quotient, None)

FUNCTIONS: dict[str, Function] = {
    **ARRAY_FUNCTIONS,
    "__operators__.add": _add,
    "cast": _cast,
    "clip_by_value": _clip,
    "compat.v1.transpose": _permute,
    "concat": _concatenate,
    "identity": _only("Identity"),
    "image.grayscale_to_rgb": _three_channels,
    "image.resize": _resize,
    "math.add": _add,
    "math.maximum": _arithmetic("Maximum", None, None),
    "math.minimum": _arithmetic("Minimum", None, None),
    "math.multiply": _multiply,
    "math.negative": lambda x, _: _rescaling(x, -1.0, 0.0),
    "math.reduce_max": _pooling("Max"),
    "math.reduce_mean": _pooling("Average"),
    "math.sigmoid": _activation("sigmoid"),
    "math.softplus": _activation("softplus"),
    "math.subtract": _subtract,
    "math.tanh": _activation("tanh"),
    "math.truediv": _divide,
    "nn.bias_add": _bias,
    "nn.elu": _activation("elu"),
    "nn.gelu": _activation("gelu"),
    "nn.leaky_relu": _leaky_relu,
    "nn.relu": _activation("relu"),
    "nn.relu6": _only("ReLU", max_value=6.0),
    "nn.selu": _activation("selu"),
    "nn.silu": _activation("silu"),
    "nn.softmax": _softmax,
    "reshape": _reshape,
    "stop_gradient": _only("Identity"),
}
"""The functions that are translated, by their names in TensorFlow; an untrusted file may call no others.

A Rescaling layer states how pictures are normalised, so that later steps find it in one place.
"""
