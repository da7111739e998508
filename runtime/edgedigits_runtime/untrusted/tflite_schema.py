"""The tables of a `.tflite` file that LiteRT reads, and the operators that a classifier may hold.

The numbers are those of LiteRT's schema.fbs (tflite/converter/schema/schema.fbs); a test compares each with the
schema in ai-edge-litert.
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
)

IDENTIFIER = b"TFL3"
SCHEMA_VERSION = 3

INT8, UINT8, BOOL, INT32, UINT32, UINT64, FLOAT = map(Scalar, "bB?iIQf")

TYPES: Mapping[int, str] = {
    0: "FLOAT32", 1: "FLOAT16", 2: "INT32", 3: "UINT8", 4: "INT64", 5: "STRING", 6: "BOOL", 7: "INT16", 8: "COMPLEX64",
    9: "INT8", 10: "FLOAT64", 15: "UINT32", 16: "UINT16", 17: "INT4", 18: "BFLOAT16",
}  # fmt: skip
"""TensorType by number; the others are named by their number."""

WIDTHS: Mapping[str, float] = {
    "FLOAT32": 4, "FLOAT16": 2, "INT32": 4, "UINT8": 1, "INT64": 8, "BOOL": 1, "INT16": 2, "INT8": 1, "INT4": 0.5,
}  # fmt: skip
"""Bytes of an element, by the types that a classifier may hold."""

ZERO_POINTS: Mapping[str, range] = {
    "UINT8": range(256),
    "INT16": range(-32_768, 32_768),
    "INT8": range(-128, 128),
    "INT4": range(-8, 8),
}
"""Zero points that a type may have; the others have 0."""

ACTIVATIONS = range(5)
"""ActivationFunctionType: NONE, RELU, RELU_N1_TO_1, RELU6, TANH. SIGN_BIT has no kernel."""

PADDINGS = range(2)
COUNTS = range(1, 65_536)
"""Strides, dilations and windows; a kernel divides by some of them."""

DEFAULTS = {"dilation_w_factor": 1, "dilation_h_factor": 1, "pot_scale_int16": True}
"""Defaults of attributes that are not 0 or empty."""


def _scalars(**fields: Scalar) -> Layout:
    return Layout(tuple((slot, name, kind) for slot, (name, kind) in enumerate(fields.items())))


_EMPTY = Layout(())
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
        Layout((
                (0, "fused_activation_function", INT8),
                (1, "weights_format", INT8),
                (2, "keep_num_dims", BOOL),
                (3, "asymmetric_quantize_inputs", BOOL),
                (4, "quantized_bias_type", INT8),
                (5, "quant_spec", Bytes()),
            )),
    ),
    9: ("SoftmaxOptions", _scalars(beta=FLOAT)),
    10: ("ConcatenationOptions", _scalars(axis=INT32, **_ACTIVATION)),
    11: ("AddOptions", _scalars(**_ACTIVATION, pot_scale_int16=BOOL)),
    12: ("L2NormOptions", _scalars(**_ACTIVATION)),
    13: ("LocalResponseNormalizationOptions", _scalars(radius=INT32, bias=FLOAT, alpha=FLOAT, beta=FLOAT)),
    17: ("ReshapeOptions", Layout(((0, "new_shape", Numbers("i")),))),
    21: ("MulOptions", _scalars(**_ACTIVATION)),
    22: ("PadOptions", _EMPTY),
    23: ("GatherOptions", _scalars(axis=INT32, batch_dims=INT32)),
    26: ("TransposeOptions", _EMPTY),
    27: ("ReducerOptions", _scalars(keep_dims=BOOL)),
    28: ("SubOptions", _scalars(**_ACTIVATION, pot_scale_int16=BOOL)),
    29: ("DivOptions", _scalars(**_ACTIVATION)),
    30: ("SqueezeOptions", Layout(((0, "squeeze_dims", Numbers("i")),))),
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
"""BuiltinOptions: its name and table, for each operator below."""


@dataclass(frozen=True)
class OperatorSpec:
    """The operands and attributes of an operator that a classifier may hold.

    Attributes:
        inputs: the fewest and the most.
        options: the number of its BuiltinOptions; 0 where it has none.
        needs_options: whether it cannot run without them.
    """

    inputs: tuple[int, int] = (1, 1)
    options: int = 0
    needs_options: bool = False


_NAMES = """
    ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE EMBEDDING_LOOKUP FLOOR
    FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION LOGISTIC
    LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH
    SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN
    GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM
    STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM
    CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE SIN
    TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW ARG_MIN FAKE_QUANT
    REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN FLOOR_DIV REDUCE_ANY
    SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS
    SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE
    MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2
    DENSIFY SEGMENT_SUM BATCH_MATMUL PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D
    IMAG REAL COMPLEX_ABS HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL CONV_3D_TRANSPOSE
    VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM
    MULTINOMIAL GELU DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX
    UNSORTED_SEGMENT_SUM ATAN2 UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR RIGHT_SHIFT
"""

OPERATOR_NAMES = tuple(_NAMES.split())
"""BuiltinOperator by number, without those of StableHLO, which follow."""

_SPECS = {
    "ADD": OperatorSpec((2, 2), 11),
    "AVERAGE_POOL_2D": OperatorSpec((1, 1), 5, needs_options=True),
    "CONCATENATION": OperatorSpec((1, 64), 10, needs_options=True),
    "CONV_2D": OperatorSpec((2, 3), 1, needs_options=True),
    "DEPTHWISE_CONV_2D": OperatorSpec((2, 3), 2, needs_options=True),
    "DEQUANTIZE": OperatorSpec((1, 1), 38),
    "FULLY_CONNECTED": OperatorSpec((2, 3), 8, needs_options=True),
    "L2_NORMALIZATION": OperatorSpec((1, 1), 12),
    "LOCAL_RESPONSE_NORMALIZATION": OperatorSpec((1, 1), 13, needs_options=True),
    "LOGISTIC": OperatorSpec(),
    "MAX_POOL_2D": OperatorSpec((1, 1), 5, needs_options=True),
    "MUL": OperatorSpec((2, 2), 21),
    "RELU": OperatorSpec(),
    "RELU_N1_TO_1": OperatorSpec(),
    "RELU6": OperatorSpec(),
    "RESHAPE": OperatorSpec((1, 2), 17),
    "SOFTMAX": OperatorSpec((1, 1), 9, needs_options=True),
    "TANH": OperatorSpec(),
    "PAD": OperatorSpec((2, 2), 22),
    "GATHER": OperatorSpec((2, 2), 23),
    "TRANSPOSE": OperatorSpec((2, 2), 26),
    "MEAN": OperatorSpec((2, 2), 27),
    "SUB": OperatorSpec((2, 2), 28),
    "DIV": OperatorSpec((2, 2), 29),
    "SQUEEZE": OperatorSpec((1, 1), 30),
    "STRIDED_SLICE": OperatorSpec((4, 4), 32, needs_options=True),
    "EXP": OperatorSpec((1, 1), 33),
    "LOG_SOFTMAX": OperatorSpec((1, 1), 36),
    "CAST": OperatorSpec((1, 1), 37),
    "PRELU": OperatorSpec((2, 2)),
    "MAXIMUM": OperatorSpec((2, 2), 39),
    "MINIMUM": OperatorSpec((2, 2), 39),
    "NEG": OperatorSpec((1, 1), 42),
    "PADV2": OperatorSpec((3, 3), 43),
    "SLICE": OperatorSpec((3, 3), 48),
    "EXPAND_DIMS": OperatorSpec((2, 2), 52),
    "SUM": OperatorSpec((2, 2), 27),
    "SQRT": OperatorSpec(),
    "RSQRT": OperatorSpec(),
    "SHAPE": OperatorSpec((1, 1), 55),
    "REDUCE_MAX": OperatorSpec((2, 2), 27),
    "PACK": OperatorSpec((1, 64), 59, needs_options=True),
    "REDUCE_MIN": OperatorSpec((2, 2), 27),
    "SQUARE": OperatorSpec((1, 1), 66),
    "LEAKY_RELU": OperatorSpec((1, 1), 75, needs_options=True),
    "SQUARED_DIFFERENCE": OperatorSpec((2, 2), 76),
    "ABS": OperatorSpec((1, 1), 78),
    "ELU": OperatorSpec(),
    "QUANTIZE": OperatorSpec((1, 1), 89),
    "HARD_SWISH": OperatorSpec((1, 1), 91),
    "BATCH_MATMUL": OperatorSpec((2, 2), 101, needs_options=True),
    "GELU": OperatorSpec((1, 1), 116),
}

OPERATORS: Mapping[int, OperatorSpec] = {OPERATOR_NAMES.index(name): _SPECS[name] for name in _SPECS}
"""The operators that converters make of image classifiers. None calls code, loops, or reads a file."""

_METADATA = Layout(
    (
        (0, "name", String()),
        (1, "buffer", UINT32),
    )
)
_TENSOR_MAP = Layout(
    (
        (0, "name", String()),
        (1, "tensor_index", UINT32),
    )
)
_SIGNATURE = Layout(
    (
        (0, "inputs", Tables(_TENSOR_MAP)),
        (1, "outputs", Tables(_TENSOR_MAP)),
        (2, "signature_key", String()),
        (4, "subgraph_index", UINT32),
    )
)
_CODE = Layout(
    (
        (0, "deprecated_builtin_code", INT8),
        (1, "custom_code", String()),
        (2, "version", INT32),
        (3, "builtin_code", INT32),
    )
)
_QUANTIZATION = Layout(
    (
        (0, "min", Numbers("f")),
        (1, "max", Numbers("f")),
        (2, "scale", Numbers("f")),
        (3, "zero_point", Numbers("q")),
        (4, "details_type", UINT8),
        (6, "quantized_dimension", INT32),
    )
)
_TENSOR = Layout(
    (
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
    )
)
_OPTIONS: Kind = Choice("builtin_options_type", {number: table for number, (_, table) in OPTIONS.items()})
_OPERATOR = Layout(
    (
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
    )
)
_SUBGRAPH = Layout(
    (
        (0, "tensors", Tables(_TENSOR)),
        (1, "inputs", Numbers("i")),
        (2, "outputs", Numbers("i")),
        (3, "operators", Tables(_OPERATOR)),
        (4, "name", String()),
        (5, "debug_metadata_index", INT32),
    )
)
_BUFFER = Layout(
    (
        (0, "data", Bytes()),
        (1, "offset", UINT64),
        (2, "size", UINT64),
    )
)

MODEL = Layout(
    (
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
    )
)
