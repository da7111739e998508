"""The tables of a `.tflite` file, as far as LiteRT follows them, and the operators that a classifier may hold.

The numbers are those of the public schema, schema.fbs of LiteRT (tflite/converter/schema/schema.fbs); a test compares
every one with the schema that ai-edge-litert brings.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from edgedigits_runtime.untrusted.flatbuffer import (
    Bytes,
    Choice,
    Kind,
    Layout,
    Numbers,
    Scalar,
    String,
    Tables,
    layout,
)

IDENTIFIER = b"TFL3"
SCHEMA_VERSION = 3

INT8, UINT8, BOOL, INT32, UINT32, UINT64, FLOAT = map(Scalar, "bB?iIQf")

WIDTHS: Mapping[int, tuple[str, float]] = {
    0: ("FLOAT32", 4),
    1: ("FLOAT16", 2),
    2: ("INT32", 4),
    3: ("UINT8", 1),
    4: ("INT64", 8),
    6: ("BOOL", 1),
    7: ("INT16", 2),
    9: ("INT8", 1),
    17: ("INT4", 0.5),
}
"""TensorType: its name, and bytes of an element."""

ZERO_POINTS: Mapping[int, range] = {
    3: range(256),
    7: range(-32_768, 32_768),
    9: range(-128, 128),
    17: range(-8, 8),
}
"""By TensorType, what may stand for zero; 0 in the others."""

ACTIVATIONS = range(5)
"""ActivationFunctionType: NONE, RELU, RELU_N1_TO_1, RELU6, TANH. SIGN_BIT has no kernel."""

PADDINGS = range(2)
COUNTS = range(1, 65_536)
"""Strides, dilations, windows: a kernel divides by some of them."""


def _scalars(**fields: Scalar) -> Layout:
    return layout((slot, name, kind) for slot, (name, kind) in enumerate(fields.items()))


_EMPTY = layout(())
_WINDOW = {"padding": INT8, "stride_w": INT32, "stride_h": INT32}
_ACTIVATION = {"fused_activation_function": INT8}

OPTIONS: Mapping[int, tuple[str, Layout]] = {
    1: (
        "Conv2DOptions",
        _scalars(**_WINDOW, **_ACTIVATION, dilation_w_factor=INT32, dilation_h_factor=INT32, quantized_bias_type=INT8),
    ),
    2: (
        "DepthwiseConv2DOptions",
        _scalars(
            **_WINDOW, depth_multiplier=INT32, **_ACTIVATION, dilation_w_factor=INT32, dilation_h_factor=INT32
        ),
    ),
    5: ("Pool2DOptions", _scalars(**_WINDOW, filter_width=INT32, filter_height=INT32, **_ACTIVATION)),
    8: (
        "FullyConnectedOptions",
        layout(
            [
                (0, "fused_activation_function", INT8),
                (1, "weights_format", INT8),
                (2, "keep_num_dims", BOOL),
                (3, "asymmetric_quantize_inputs", BOOL),
                (4, "quantized_bias_type", INT8),
                (5, "quant_spec", Bytes()),
            ]
        ),
    ),
    9: ("SoftmaxOptions", _scalars(beta=FLOAT)),
    10: ("ConcatenationOptions", _scalars(axis=INT32, **_ACTIVATION)),
    11: ("AddOptions", _scalars(**_ACTIVATION, pot_scale_int16=BOOL)),
    12: ("L2NormOptions", _scalars(**_ACTIVATION)),
    13: ("LocalResponseNormalizationOptions", _scalars(radius=INT32, bias=FLOAT, alpha=FLOAT, beta=FLOAT)),
    17: ("ReshapeOptions", layout([(0, "new_shape", Numbers("i"))])),
    21: ("MulOptions", _scalars(**_ACTIVATION)),
    22: ("PadOptions", _EMPTY),
    23: ("GatherOptions", _scalars(axis=INT32, batch_dims=INT32)),
    26: ("TransposeOptions", _EMPTY),
    27: ("ReducerOptions", _scalars(keep_dims=BOOL)),
    28: ("SubOptions", _scalars(**_ACTIVATION, pot_scale_int16=BOOL)),
    29: ("DivOptions", _scalars(**_ACTIVATION)),
    30: ("SqueezeOptions", layout([(0, "squeeze_dims", Numbers("i"))])),
    32: (
        "StridedSliceOptions",
        _scalars(
            begin_mask=INT32, end_mask=INT32, ellipsis_mask=INT32, new_axis_mask=INT32, shrink_axis_mask=INT32,
            offset=BOOL,
        ),
    ),
    33: ("ExpOptions", _EMPTY),
    36: ("LogSoftmaxOptions", _EMPTY),
    37: ("CastOptions", _scalars(in_data_type=INT8, out_data_type=INT8)),
    38: ("DequantizeOptions", _EMPTY),
    39: ("MaximumMinimumOptions", _EMPTY),
    42: ("NegOptions", _EMPTY),
    43: ("PadV2Options", _EMPTY),
    48: ("SliceOptions", _EMPTY),
    52: ("ExpandDimsOptions", _EMPTY),
    55: ("ShapeOptions", _scalars(out_type=INT8)),
    59: ("PackOptions", _scalars(values_count=INT32, axis=INT32)),
    66: ("SquareOptions", _EMPTY),
    75: ("LeakyReluOptions", _scalars(alpha=FLOAT)),
    76: ("SquaredDifferenceOptions", _EMPTY),
    78: ("AbsOptions", _EMPTY),
    89: ("QuantizeOptions", _EMPTY),
    91: ("HardSwishOptions", _EMPTY),
    101: ("BatchMatMulOptions", _scalars(adj_x=BOOL, adj_y=BOOL, asymmetric_quantize_inputs=BOOL)),
    116: ("GeluOptions", _scalars(approximate=BOOL)),
}  # fmt: skip
"""BuiltinOptions: its name and table. What is not here goes with no operator below."""


@dataclass(frozen=True)
class Known:
    """An operator that is let through.

    Attributes:
        name: as the schema calls it.
        inputs: how many it takes, from, to.
        options: the number of its options; 0 where it has none.
        needed: whether it cannot do without them.
    """

    name: str
    inputs: tuple[int, int] = (1, 1)
    options: int = 0
    needed: bool = False


OPERATORS: Mapping[int, Known] = {
    0: Known("ADD", (2, 2), 11),
    1: Known("AVERAGE_POOL_2D", (1, 1), 5, needed=True),
    2: Known("CONCATENATION", (1, 64), 10, needed=True),
    3: Known("CONV_2D", (2, 3), 1, needed=True),
    4: Known("DEPTHWISE_CONV_2D", (2, 3), 2, needed=True),
    6: Known("DEQUANTIZE", (1, 1), 38),
    9: Known("FULLY_CONNECTED", (2, 3), 8, needed=True),
    11: Known("L2_NORMALIZATION", (1, 1), 12),
    13: Known("LOCAL_RESPONSE_NORMALIZATION", (1, 1), 13, needed=True),
    14: Known("LOGISTIC"),
    17: Known("MAX_POOL_2D", (1, 1), 5, needed=True),
    18: Known("MUL", (2, 2), 21),
    19: Known("RELU"),
    20: Known("RELU_N1_TO_1"),
    21: Known("RELU6"),
    22: Known("RESHAPE", (1, 2), 17),
    25: Known("SOFTMAX", (1, 1), 9, needed=True),
    28: Known("TANH"),
    34: Known("PAD", (2, 2), 22),
    36: Known("GATHER", (2, 2), 23),
    39: Known("TRANSPOSE", (2, 2), 26),
    40: Known("MEAN", (2, 2), 27),
    41: Known("SUB", (2, 2), 28),
    42: Known("DIV", (2, 2), 29),
    43: Known("SQUEEZE", (1, 1), 30),
    45: Known("STRIDED_SLICE", (4, 4), 32, needed=True),
    47: Known("EXP", (1, 1), 33),
    50: Known("LOG_SOFTMAX", (1, 1), 36),
    53: Known("CAST", (1, 1), 37),
    54: Known("PRELU", (2, 2)),
    55: Known("MAXIMUM", (2, 2), 39),
    57: Known("MINIMUM", (2, 2), 39),
    59: Known("NEG", (1, 1), 42),
    60: Known("PADV2", (3, 3), 43),
    65: Known("SLICE", (3, 3), 48),
    70: Known("EXPAND_DIMS", (2, 2), 52),
    74: Known("SUM", (2, 2), 27),
    75: Known("SQRT"),
    76: Known("RSQRT"),
    77: Known("SHAPE", (1, 1), 55),
    82: Known("REDUCE_MAX", (2, 2), 27),
    83: Known("PACK", (1, 64), 59, needed=True),
    89: Known("REDUCE_MIN", (2, 2), 27),
    92: Known("SQUARE", (1, 1), 66),
    98: Known("LEAKY_RELU", (1, 1), 75, needed=True),
    99: Known("SQUARED_DIFFERENCE", (2, 2), 76),
    101: Known("ABS", (1, 1), 78),
    111: Known("ELU"),
    114: Known("QUANTIZE", (1, 1), 89),
    117: Known("HARD_SWISH", (1, 1), 91),
    126: Known("BATCH_MATMUL", (2, 2), 101, needed=True),
    150: Known("GELU", (1, 1), 116),
}
"""BuiltinOperator: those that converters make of image classifiers. None calls code, loops, or reads a file."""

CUSTOM = 32

_METADATA = layout([(0, "name", String()), (1, "buffer", UINT32)])
_TENSOR_MAP = layout([(0, "name", String()), (1, "tensor_index", UINT32)])
_SIGNATURE = layout(
    [
        (0, "inputs", Tables(_TENSOR_MAP)),
        (1, "outputs", Tables(_TENSOR_MAP)),
        (2, "signature_key", String()),
        (4, "subgraph_index", UINT32),
    ]
)
_CODE = layout(
    [
        (0, "deprecated_builtin_code", INT8),
        (1, "custom_code", String()),
        (2, "version", INT32),
        (3, "builtin_code", INT32),
    ]
)
_QUANTIZATION = layout(
    [
        (0, "min", Numbers("f")),
        (1, "max", Numbers("f")),
        (2, "scale", Numbers("f")),
        (3, "zero_point", Numbers("q")),
        (4, "details_type", UINT8),
        (6, "quantized_dimension", INT32),
    ]
)
_TENSOR = layout(
    [
        (0, "shape", Numbers("i")),
        (1, "type", INT8),
        (2, "buffer", UINT32),
        (3, "name", String()),
        (4, "quantization", _QUANTIZATION),
        (5, "is_variable", BOOL),
        (6, "sparsity", _EMPTY),
        (7, "shape_signature", Numbers("i")),
        (8, "has_rank", BOOL),
        (9, "variant_tensors", Tables(_EMPTY)),
        (10, "external_buffer", UINT32),
    ]
)
_OPTIONS: Kind = Choice("builtin_options_type", {number: table for number, (_, table) in OPTIONS.items()})
_OPERATOR = layout(
    [
        (0, "opcode_index", UINT32),
        (1, "inputs", Numbers("i")),
        (2, "outputs", Numbers("i")),
        (3, "builtin_options_type", UINT8),
        (4, "builtin_options", _OPTIONS),
        (5, "custom_options", Bytes()),
        (7, "mutating_variable_inputs", Numbers("?")),
        (8, "intermediates", Numbers("i")),
        (9, "large_custom_options_offset", UINT64),
        (10, "large_custom_options_size", UINT64),
        (11, "builtin_options_2_type", UINT8),
    ]
)
_SUBGRAPH = layout(
    [
        (0, "tensors", Tables(_TENSOR)),
        (1, "inputs", Numbers("i")),
        (2, "outputs", Numbers("i")),
        (3, "operators", Tables(_OPERATOR)),
        (4, "name", String()),
        (5, "debug_metadata_index", INT32),
    ]
)
_BUFFER = layout([(0, "data", Bytes()), (1, "offset", UINT64), (2, "size", UINT64)])

MODEL = layout(
    [
        (0, "version", UINT32),
        (1, "operator_codes", Tables(_CODE)),
        (2, "subgraphs", Tables(_SUBGRAPH)),
        (3, "description", String()),
        (4, "buffers", Tables(_BUFFER)),
        (5, "metadata_buffer", Numbers("i")),
        (6, "metadata", Tables(_METADATA)),
        (7, "signature_defs", Tables(_SIGNATURE)),
        (8, "external_buffer_groups", Tables(_EMPTY)),
        (9, "external_buffers", Tables(_EMPTY)),
    ]
)
