"""The tables of a `.tflite` file that LiteRT reads, and the operators that a classifier may hold.

The numbers are those of LiteRT's schema.fbs (tflite/converter/schema/schema.fbs); a test compares each with the
schema in ai-edge-litert.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from edgedigits_runtime.untrusted.flatbuffer import Bytes, Choice, Kind, Layout, Numbers, Scalar, String, Tables

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
    "UINT8": range(256), "INT16": range(-32_768, 32_768), "INT8": range(-128, 128), "INT4": range(-8, 8),
}  # fmt: skip
"""Zero points that a type may have; the others have 0."""

ACTIVATIONS = range(5)
"""ActivationFunctionType: NONE, RELU, RELU_N1_TO_1, RELU6, TANH. SIGN_BIT has no kernel."""

PADDINGS = range(2)
COUNTS = range(1, 65_536)
"""Strides, dilations and windows; a kernel divides by some of them."""

DEFAULTS = {"dilation_w_factor": 1, "dilation_h_factor": 1, "pot_scale_int16": True}
"""Defaults of attributes that are not 0 or empty."""


def table(**fields: Kind | None) -> Layout:
    """Return a table whose fields are in the order of their slots; None is a slot that is not read."""
    return Layout(tuple((slot, name, kind) for slot, (name, kind) in enumerate(fields.items()) if kind is not None))


_EMPTY = table()
_WINDOW = {"padding": INT8, "stride_w": INT32, "stride_h": INT32}
_DILATION = {"dilation_w_factor": INT32, "dilation_h_factor": INT32}
_ACTIVATION = {"fused_activation_function": INT8}
_WITHOUT_FIELDS = {
    22: "Pad", 26: "Transpose", 33: "Exp", 36: "LogSoftmax", 38: "Dequantize", 39: "MaximumMinimum", 42: "Neg",
    43: "PadV2", 48: "Slice", 52: "ExpandDims", 66: "Square", 76: "SquaredDifference", 78: "Abs", 89: "Quantize",
    91: "HardSwish", 24: "BatchToSpaceND", 25: "SpaceToBatchND", 41: "Less", 44: "Greater", 45: "GreaterEqual",
    46: "LessEqual", 47: "Select", 51: "Tile", 53: "Equal", 54: "NotEqual", 56: "Pow", 60: "LogicalOr",
    62: "LogicalAnd", 63: "LogicalNot", 68: "Fill", 81: "ReverseV2", 82: "AddN", 84: "Cos", 98: "SelectV2",
    104: "BroadcastTo", 123: "Sign",
}  # fmt: skip

OPTIONS: Mapping[int, tuple[str, Layout]] = {
    1: ("Conv2DOptions", table(**_WINDOW, **_ACTIVATION, **_DILATION, quantized_bias_type=INT8)),
    2: ("DepthwiseConv2DOptions", table(**_WINDOW, depth_multiplier=INT32, **_ACTIVATION, **_DILATION)),
    5: ("Pool2DOptions", table(**_WINDOW, filter_width=INT32, filter_height=INT32, **_ACTIVATION)),
    8: ("FullyConnectedOptions", table(
        **_ACTIVATION, weights_format=INT8, keep_num_dims=BOOL, asymmetric_quantize_inputs=BOOL,
        quantized_bias_type=INT8, quant_spec=Bytes(),
    )),
    9: ("SoftmaxOptions", table(beta=FLOAT)),
    10: ("ConcatenationOptions", table(axis=INT32, **_ACTIVATION)),
    11: ("AddOptions", table(**_ACTIVATION, pot_scale_int16=BOOL)),
    12: ("L2NormOptions", table(**_ACTIVATION)),
    13: ("LocalResponseNormalizationOptions", table(radius=INT32, bias=FLOAT, alpha=FLOAT, beta=FLOAT)),
    15: ("ResizeBilinearOptions", table(
        new_height=None, new_width=None, align_corners=BOOL, half_pixel_centers=BOOL,
    )),
    17: ("ReshapeOptions", table(new_shape=Numbers("i"))),
    19: ("SpaceToDepthOptions", table(block_size=INT32)),
    21: ("MulOptions", table(**_ACTIVATION)),
    23: ("GatherOptions", table(axis=INT32, batch_dims=INT32)),
    27: ("ReducerOptions", table(keep_dims=BOOL)),
    28: ("SubOptions", table(**_ACTIVATION, pot_scale_int16=BOOL)),
    29: ("DivOptions", table(**_ACTIVATION)),
    30: ("SqueezeOptions", table(squeeze_dims=Numbers("i"))),
    32: ("StridedSliceOptions", table(
        begin_mask=INT32, end_mask=INT32, ellipsis_mask=INT32, new_axis_mask=INT32, shrink_axis_mask=INT32, offset=BOOL,
    )),
    35: ("SplitOptions", table(num_splits=INT32)),
    37: ("CastOptions", table(in_data_type=INT8, out_data_type=INT8)),
    49: ("TransposeConvOptions", table(**_WINDOW, **_ACTIVATION, quantized_bias_type=INT8)),
    55: ("ShapeOptions", table(out_type=INT8)),
    59: ("PackOptions", table(values_count=INT32, axis=INT32)),
    64: ("UnpackOptions", table(num=INT32, axis=INT32)),
    71: ("UnidirectionalSequenceLSTMOptions", table(
        **_ACTIVATION, cell_clip=FLOAT, proj_clip=FLOAT, time_major=BOOL, asymmetric_quantize_inputs=BOOL,
        diagonal_recurrent_tensors=BOOL,
    )),
    74: ("ResizeNearestNeighborOptions", table(align_corners=BOOL, half_pixel_centers=BOOL)),
    75: ("LeakyReluOptions", table(alpha=FLOAT)),
    77: ("MirrorPadOptions", table(mode=INT8)),
    79: ("SplitVOptions", table(num_splits=INT32)),
    94: ("DepthToSpaceOptions", table(block_size=INT32)),
    101: ("BatchMatMulOptions", table(adj_x=BOOL, adj_y=BOOL, asymmetric_quantize_inputs=BOOL)),
    102: ("CumsumOptions", table(exclusive=BOOL, reverse=BOOL)),
    116: ("GeluOptions", table(approximate=BOOL)),
    **{number: (f"{name}Options", _EMPTY) for number, name in _WITHOUT_FIELDS.items()},
}  # fmt: skip
"""BuiltinOptions: its name and table, for each operator below."""


@dataclass(frozen=True)
class OperatorSpec:
    """The operands and attributes of an operator that a classifier may hold.

    Attributes:
        inputs: the fewest and the most.
        options: the number of its BuiltinOptions; 0 where it has none.
        needs_options: whether it cannot run without them.
        most_outputs: how many outputs it may have.
    """

    inputs: tuple[int, int] = (1, 1)
    options: int = 0
    needs_options: bool = False
    most_outputs: int = 1


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

_OPERANDS = {
    "ADD": (2, 2, 11), "AVERAGE_POOL_2D": (1, 1, 5), "CONCATENATION": (1, 64, 10), "CONV_2D": (2, 3, 1),
    "DEPTHWISE_CONV_2D": (2, 3, 2), "DEQUANTIZE": (1, 1, 38), "FULLY_CONNECTED": (2, 3, 8),
    "L2_NORMALIZATION": (1, 1, 12), "LOCAL_RESPONSE_NORMALIZATION": (1, 1, 13), "LOGISTIC": (1, 1, 0),
    "MAX_POOL_2D": (1, 1, 5), "MUL": (2, 2, 21), "RELU": (1, 1, 0), "RELU_N1_TO_1": (1, 1, 0), "RELU6": (1, 1, 0),
    "RESHAPE": (1, 2, 17), "SOFTMAX": (1, 1, 9), "TANH": (1, 1, 0), "PAD": (2, 2, 22), "GATHER": (2, 2, 23),
    "TRANSPOSE": (2, 2, 26), "MEAN": (2, 2, 27), "SUB": (2, 2, 28), "DIV": (2, 2, 29), "SQUEEZE": (1, 1, 30),
    "STRIDED_SLICE": (4, 4, 32), "EXP": (1, 1, 33), "LOG_SOFTMAX": (1, 1, 36), "CAST": (1, 1, 37), "PRELU": (2, 2, 0),
    "MAXIMUM": (2, 2, 39), "MINIMUM": (2, 2, 39), "NEG": (1, 1, 42), "PADV2": (3, 3, 43), "SLICE": (3, 3, 48),
    "EXPAND_DIMS": (2, 2, 52), "SUM": (2, 2, 27), "SQRT": (1, 1, 0), "RSQRT": (1, 1, 0), "SHAPE": (1, 1, 55),
    "REDUCE_MAX": (2, 2, 27), "PACK": (1, 64, 59), "REDUCE_MIN": (2, 2, 27), "SQUARE": (1, 1, 66),
    "LEAKY_RELU": (1, 1, 75), "SQUARED_DIFFERENCE": (2, 2, 76), "ABS": (1, 1, 78), "ELU": (1, 1, 0),
    "QUANTIZE": (1, 1, 89), "HARD_SWISH": (1, 1, 91), "BATCH_MATMUL": (2, 2, 101), "GELU": (1, 1, 116),
    "ADD_N": (1, 64, 82), "BATCH_TO_SPACE_ND": (3, 3, 24), "BROADCAST_TO": (2, 2, 104), "CEIL": (1, 1, 0),
    "COS": (1, 1, 84), "CUMSUM": (2, 2, 102), "DEPTH_TO_SPACE": (1, 1, 94), "EQUAL": (2, 2, 53), "FILL": (2, 2, 68),
    "FLOOR": (1, 1, 0), "GREATER": (2, 2, 44), "GREATER_EQUAL": (2, 2, 45), "LESS": (2, 2, 41),
    "LESS_EQUAL": (2, 2, 46), "LOG": (1, 1, 0), "LOGICAL_AND": (2, 2, 62), "LOGICAL_NOT": (1, 1, 63),
    "LOGICAL_OR": (2, 2, 60), "MIRROR_PAD": (2, 2, 77), "NOT_EQUAL": (2, 2, 54), "POW": (2, 2, 56),
    "REDUCE_PROD": (2, 2, 27), "RELU_0_TO_1": (1, 1, 0), "RESIZE_BILINEAR": (2, 2, 15),
    "RESIZE_NEAREST_NEIGHBOR": (2, 2, 74), "REVERSE_V2": (2, 2, 81), "ROUND": (1, 1, 0), "SELECT": (3, 3, 47),
    "SELECT_V2": (3, 3, 98), "SIGN": (1, 1, 123), "SIN": (1, 1, 0), "SPACE_TO_BATCH_ND": (3, 3, 25),
    "SPACE_TO_DEPTH": (1, 1, 19), "SPLIT": (2, 2, 35), "SPLIT_V": (3, 3, 79), "TILE": (2, 2, 51),
    "TRANSPOSE_CONV": (3, 4, 49), "UNIDIRECTIONAL_SEQUENCE_LSTM": (20, 24, 71), "UNPACK": (1, 1, 64),
}  # fmt: skip
"""The fewest inputs, the most, and the number of the options; 0 where there are none."""

_NEEDS_OPTIONS = {
    "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED",
    "LOCAL_RESPONSE_NORMALIZATION", "MAX_POOL_2D", "SOFTMAX", "STRIDED_SLICE", "PACK", "LEAKY_RELU", "BATCH_MATMUL",
    "DEPTH_TO_SPACE", "MIRROR_PAD", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "SPACE_TO_DEPTH", "SPLIT", "SPLIT_V",
    "TRANSPOSE_CONV", "UNIDIRECTIONAL_SEQUENCE_LSTM", "UNPACK",
}  # fmt: skip

MANY_OUTPUTS = {"SPLIT", "SPLIT_V", "UNPACK"}
MOST_OUTPUTS = 256
"""Of these; an unrolled recurrent layer has one for each step."""

OPERATORS: Mapping[int, OperatorSpec] = {
    OPERATOR_NAMES.index(name): OperatorSpec(
        (fewest, most), options, name in _NEEDS_OPTIONS, MOST_OUTPUTS if name in MANY_OUTPUTS else 1
    )
    for name, (fewest, most, options) in _OPERANDS.items()
}
"""The operators that converters make of image classifiers. None calls code, loops, or reads a file."""

_METADATA = table(name=String(), buffer=UINT32)
_TENSOR_MAP = table(name=String(), tensor_index=UINT32)
_SIGNATURE = table(
    inputs=Tables(_TENSOR_MAP), outputs=Tables(_TENSOR_MAP), signature_key=String(), _=None, subgraph_index=UINT32
)
_CODE = table(deprecated_builtin_code=INT8, custom_code=String(), version=INT32, builtin_code=INT32)
_QUANTIZATION = table(
    min=Numbers("f"), max=Numbers("f"), scale=Numbers("f"), zero_point=Numbers("q"), details_type=UINT8, details=None,
    quantized_dimension=INT32,
)  # fmt: skip
_TENSOR = table(
    shape=Numbers("i"), type=INT8, buffer=UINT32, name=String(), quantization=_QUANTIZATION, is_variable=BOOL,
    sparsity=_EMPTY, shape_signature=Numbers("i"), has_rank=BOOL, variant_tensors=Tables(_EMPTY),
    external_buffer=UINT32,
)  # fmt: skip
_OPTIONS = Choice("builtin_options_type", {number: table for number, (_, table) in OPTIONS.items()})
_OPERATOR = table(
    opcode_index=UINT32, inputs=Numbers("i"), outputs=Numbers("i"), builtin_options_type=UINT8,
    builtin_options=_OPTIONS, custom_options=Bytes(), custom_options_format=None, mutating_variable_inputs=Numbers("?"),
    intermediates=Numbers("i"), large_custom_options_offset=UINT64, large_custom_options_size=UINT64,
    builtin_options_2_type=UINT8,
)  # fmt: skip
_SUBGRAPH = table(
    tensors=Tables(_TENSOR), inputs=Numbers("i"), outputs=Numbers("i"), operators=Tables(_OPERATOR), name=String(),
    debug_metadata_index=INT32,
)  # fmt: skip
_BUFFER = table(data=Bytes(), offset=UINT64, size=UINT64)

MODEL = table(
    version=UINT32, operator_codes=Tables(_CODE), subgraphs=Tables(_SUBGRAPH), description=String(),
    buffers=Tables(_BUFFER), metadata_buffer=Numbers("i"), metadata=Tables(_METADATA),
    signature_defs=Tables(_SIGNATURE), external_buffer_groups=Tables(_EMPTY), external_buffers=Tables(_EMPTY),
)  # fmt: skip
