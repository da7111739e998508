"""What TensorFlow Lite Micro calls the operators that it has kernels for."""

from edgedigits_exporters.microcontroller.reading.stored import StoredOperator
from edgedigits_runtime.errors import ArtifactUnsupported

_NAMES = """
    ABS ADD ADD_N ARG_MAX ARG_MIN AVERAGE_POOL_2D BATCH_MATMUL BATCH_TO_SPACE_ND BROADCAST_TO CAST CEIL
    CONCATENATION CONV_2D COS CUMSUM DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE DIV ELU EQUAL EXP EXPAND_DIMS
    FILL FLOOR FLOOR_DIV FLOOR_MOD FULLY_CONNECTED GATHER GATHER_ND GREATER GREATER_EQUAL HARD_SWISH
    L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC
    LOG_SOFTMAX MAXIMUM MAX_POOL_2D MEAN MINIMUM MIRROR_PAD MUL NEG NOT_EQUAL PACK PAD PADV2 PRELU QUANTIZE
    REDUCE_MAX RELU RELU6 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR ROUND RSQRT SELECT_V2 SHAPE SIN SLICE
    SOFTMAX SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE
    SUB SUM SVDF TANH TRANSPOSE TRANSPOSE_CONV UNPACK ZEROS_LIKE
"""

WITH_KERNELS = frozenset(_NAMES.split())
"""Source: tensorflow/lite/micro/micro_mutable_op_resolver.h; operators with graphs or memory of their own left out."""

IRREGULAR = {"BATCH_MATMUL": "AddBatchMatMul", "CUMSUM": "AddCumSum", "PADV2": "AddPadV2"}


def add_call(operator: StoredOperator | str) -> str:
    """Return the MicroMutableOpResolver method that registers an operator, such as AddConv2D.

    Raises:
        ArtifactUnsupported: there is no kernel for it.
    """
    name = operator if isinstance(operator, str) else operator.name
    if name not in WITH_KERNELS:
        where = name if isinstance(operator, str) else operator.where
        raise ArtifactUnsupported(
            f"{where} has no kernel in TensorFlow Lite Micro; replace the layer, or register a kernel of your own"
        )
    if name in IRREGULAR:
        return IRREGULAR[name]
    return "Add" + "".join(part if part == "2D" else part.capitalize() for part in name.split("_"))
