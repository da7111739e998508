"""Operators, each in one module: its class, and functions that parse it and lower it to C.

parse(operator, values) -> Operator | None    None for an operator on shapes, whose result goes into `values`
lower(operator, sources, kernels) -> Layer | None    None for an operator that leaves all stored values as they are
table_of(operator, kernels) -> Table    instead of lower, for an operator that maps each value by itself
"""

import importlib
from typing import Any

from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.graph import Operator
from edgedigits_exporters.microcontroller.layer import Layer, Source, require_sizes
from edgedigits_exporters.microcontroller.tables import table_layer

_HERE = "edgedigits_exporters.microcontroller.operators"

OPERATORS = {
    "ABS": f"{_HERE}.absolute",
    "ADD": f"{_HERE}.add",
    "AVERAGE_POOL_2D": f"{_HERE}.pooling",
    "CAST": f"{_HERE}.shape_arithmetic",
    "CONCATENATION": f"{_HERE}.concatenation",
    "CONV_2D": f"{_HERE}.convolution",
    "DEPTHWISE_CONV_2D": f"{_HERE}.depthwise",
    "DEPTH_TO_SPACE": f"{_HERE}.depth_to_space",
    "EXPAND_DIMS": f"{_HERE}.reshape",
    "FULLY_CONNECTED": f"{_HERE}.fully_connected",
    "GELU": f"{_HERE}.activation",
    "HARD_SWISH": f"{_HERE}.hard_swish",
    "LEAKY_RELU": f"{_HERE}.leaky_relu",
    "LOGISTIC": f"{_HERE}.activation",
    "MAX_POOL_2D": f"{_HERE}.pooling",
    "MEAN": f"{_HERE}.reduction",
    "MUL": f"{_HERE}.mul",
    "PACK": f"{_HERE}.shape_arithmetic",
    "PAD": f"{_HERE}.pad",
    "PADV2": f"{_HERE}.pad",
    "PRELU": f"{_HERE}.prelu",
    "QUANTIZE": f"{_HERE}.clamp",
    "REDUCE_MAX": f"{_HERE}.reduction",
    "RELU": f"{_HERE}.clamp",
    "RELU6": f"{_HERE}.clamp",
    "RESHAPE": f"{_HERE}.reshape",
    "SEPARABLE": f"{_HERE}.separable",
    "SHAPE": f"{_HERE}.shape_arithmetic",
    "SOFTMAX": f"{_HERE}.softmax",
    "SQUEEZE": f"{_HERE}.reshape",
    "STRIDED_SLICE": f"{_HERE}.shape_arithmetic",
    "TRANSPOSE": f"{_HERE}.reshape",
    "SUB": f"{_HERE}.add",
    "TANH": f"{_HERE}.activation",
}
"""Modules by the schema's name; SEPARABLE is not in the schema, planning.lowering makes it."""


def load_operator(name: str) -> Any:
    """Return the module of an operator."""
    return importlib.import_module(OPERATORS[name])


def lower(operator: Operator, sources: tuple[Source, ...], kernels: Kernels) -> Layer | None:
    """Return an operator as C; None for one that leaves all stored values as they are.

    Raises:
        ArtifactUnsupported: sizes or scales with which C could not equal LiteRT.
    """
    module, layer = load_operator(operator.name), None
    if hasattr(module, "table_of"):
        layer = table_layer(operator, sources[0], module.table_of(operator, kernels))
    else:
        layer = module.lower(operator, sources, kernels)
    if layer is not None:
        require_sizes(operator)
    return layer
