"""The combinations of tensor types that an operator of a `.tflite` file may have.

A kernel of LiteRT chooses its code by the type of one tensor and reads the others as if they had the matching type;
some kernels end the process otherwise.
"""

from collections.abc import Mapping, Sequence

WEIGHTS: Mapping[str, tuple[set[str], set[str]]] = {
    "FLOAT32": ({"FLOAT32", "FLOAT16", "INT8", "UINT8", "INT4"}, {"FLOAT32", "FLOAT16"}),
    "UINT8": ({"UINT8"}, {"INT32"}),
    "INT8": ({"INT8", "INT4"}, {"INT32"}),
    "INT16": ({"INT8", "INT4"}, {"INT32", "INT64"}),
}
"""Types of the weights and of the biases by the type of the input."""

WEIGHTED = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"}

STORED = {"INT8", "UINT8", "INT16"}
INDICES = {"INT32", "INT64"}

ANY_INPUTS = {"GATHER", "PAD", "STRIDED_SLICE", "SLICE", "TRANSPOSE", "RESHAPE", "EXPAND_DIMS", "MEAN", "SUM",
              "REDUCE_MAX", "REDUCE_MIN"}  # fmt: skip
"""Operators whose further inputs are indices, sizes or axes."""


def types_fit(name: str, inputs: Sequence[str], output: str) -> bool:
    """Whether an operator can compute with these types.

    Args:
        name: of the operator, one of tflite_schema.OPERATORS.
        inputs: TensorType of each input that is not left out.
        output: TensorType of the output.
    """
    first, *others = inputs
    if name == "DEQUANTIZE":
        return first in STORED | {"FLOAT16", "INT4"} and output == "FLOAT32"
    if name == "QUANTIZE":
        return first in STORED | {"FLOAT32", "INT32"} and output in STORED
    if name == "SHAPE":
        return output in INDICES
    if name == "CAST":
        return True
    if output != first:
        return False
    if name in WEIGHTED:
        weights, biases = WEIGHTS.get(first, (set(), set()))
        return others[0] in weights and set(others[1:]) <= biases
    if name in ANY_INPUTS:
        return set(others) <= INDICES
    if name == "PADV2":
        return others[0] in INDICES and others[1] == first
    return set(others) <= {first}
