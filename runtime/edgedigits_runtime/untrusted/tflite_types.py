"""The combinations of tensor types that an operator of a `.tflite` file may have.

A kernel of LiteRT chooses its code by the type of one tensor and reads the others as if they had the matching type;
some kernels end the process otherwise.
"""

from collections.abc import Callable, Mapping, Sequence

WEIGHTS: Mapping[str, tuple[set[str], set[str]]] = {
    "FLOAT32": ({"FLOAT32", "FLOAT16", "INT8", "UINT8", "INT4"}, {"FLOAT32", "FLOAT16"}),
    "UINT8": ({"UINT8"}, {"INT32"}),
    "INT8": ({"INT8", "INT4"}, {"INT32"}),
    "INT16": ({"INT8", "INT4"}, {"INT32", "INT64"}),
}
"""Types of the weights and of the biases by the type of the input."""

WEIGHTED = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 0, "FULLY_CONNECTED": 0, "TRANSPOSE_CONV": 2}
"""Operators with weights and biases, and their input with the activations."""

STORED = {"INT8", "UINT8", "INT16"}
INDICES = {"INT32", "INT64"}
COMPARED = {"BOOL", "FLOAT32", "INT8", "INT32", "INT64", "UINT8"}

ANY_INPUTS = {"GATHER", "PAD", "STRIDED_SLICE", "SLICE", "TRANSPOSE", "RESHAPE", "EXPAND_DIMS", "MEAN", "SUM",
              "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "BATCH_TO_SPACE_ND", "BROADCAST_TO", "CUMSUM", "MIRROR_PAD",
              "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "REVERSE_V2", "SPACE_TO_BATCH_ND", "SPLIT_V",
              "TILE"}  # fmt: skip
"""Operators whose further inputs are indices, sizes or axes."""

COMPARISONS = {"EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL", "NOT_EQUAL"}
LOGICAL = {"LOGICAL_AND", "LOGICAL_NOT", "LOGICAL_OR"}

LSTM_KINDS = "xwwwwwwwwpppbbbbwbscnnnn"
"""What the inputs of an LSTM are: activations, weights, peepholes, biases, output state, cell state, normalisation."""

_FLOAT = dict.fromkeys("xwpbscn", "FLOAT32")
LSTM_TYPES = (
    _FLOAT,
    {**_FLOAT, "w": "INT8", "p": "INT8"},
    {**_FLOAT, "w": "UINT8", "p": "UINT8"},
    {"x": "INT8", "w": "INT8", "p": "INT16", "b": "INT32", "s": "INT8", "c": "INT16", "n": "INT16"},
)


def types_fit(name: str, inputs: Sequence[str], output: str) -> bool:
    """Whether an operator can compute with these types.

    Args:
        name: of the operator, one of tflite_schema.OPERATORS.
        inputs: TensorType of each input; "" for one that is left out before others.
        output: TensorType of an output.
    """
    first, *others = inputs
    if name in FIXED:
        return FIXED[name](inputs, output)
    if name in COMPARISONS | LOGICAL:
        return output == "BOOL" and set(inputs) == {first} and first in ({"BOOL"} if name in LOGICAL else COMPARED)
    if name in WEIGHTED:
        data, weights = inputs[WEIGHTED[name]], inputs[1]
        allowed, biases = WEIGHTS.get(data, (set(), set()))
        bias = set(inputs[max(2, WEIGHTED[name] + 1) :])
        return output == data and weights in allowed and bias <= biases and first in ({data} | INDICES)
    if output != first:
        return False
    return set(others) <= (INDICES if name in ANY_INPUTS else {first})


FIXED: Mapping[str, Callable[[Sequence[str], str], bool]] = {
    "CAST": lambda _, output: output != "INT4",
    "DEQUANTIZE": lambda inputs, output: inputs[0] in STORED | {"FLOAT16", "INT4"} and output == "FLOAT32",
    "FILL": lambda inputs, output: inputs[0] in INDICES and inputs[1] == output,
    "PADV2": lambda inputs, output: inputs[0] == inputs[2] == output and inputs[1] in INDICES,
    "QUANTIZE": lambda inputs, output: inputs[0] in STORED | {"FLOAT32", "INT32"} and output in STORED,
    "SELECT": lambda inputs, output: inputs[0] == "BOOL" and inputs[1] == inputs[2] == output,
    "SELECT_V2": lambda inputs, output: inputs[0] == "BOOL" and inputs[1] == inputs[2] == output,
    "SHAPE": lambda _, output: output in INDICES,
    "SPLIT": lambda inputs, output: inputs[0] == "INT32" and inputs[1] == output,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lambda inputs, output: output == inputs[0] and any(
        all(dtype in ("", types[kind]) for dtype, kind in zip(inputs, LSTM_KINDS, strict=False))
        for types in LSTM_TYPES
    ),
}  # fmt: skip
"""Operators with rules of their own."""
