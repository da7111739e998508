"""QUANTIZE, RELU and RELU6: a table of the 256 values, computed at export."""

from dataclasses import dataclass

import numpy as np

from edgedigits_exporters.microcontroller.activation_limits import HIGHEST, LOWEST, Kernels, limits
from edgedigits_exporters.microcontroller.fixed_point import fixed_point, scaled
from edgedigits_exporters.microcontroller.graph import Operator
from edgedigits_exporters.microcontroller.layer import refused
from edgedigits_exporters.microcontroller.tables import VALUES, Table
from edgedigits_exporters.microcontroller.values import BYTES, Values
from edgedigits_runtime.untrusted.tflite_model import StoredOperator

SMALLEST_RATIO, LARGEST_RATIO = 2.0**-8, 2.0**7
"""Range of the input's scale over the output's outside of which XNNPACK leaves a QUANTIZE to other kernels."""


@dataclass(frozen=True)
class Clamp(Operator):
    """QUANTIZE, RELU and RELU6: the same value at another scale, within the activation's bounds.

    Args:
        activation: one of activation_limits.BOUNDS.
        all_int8: whether input and output are int8 in the file; uint8 is stored less 128 here.
    """

    activation: str
    all_int8: bool = True


def parse(operator: StoredOperator, values: Values) -> Clamp:
    """Return a change of scale; QUANTIZE also converts between int8 and uint8, which differ by 128."""
    quantizes = operator.name == "QUANTIZE"
    dtypes = BYTES if quantizes else ("INT8",)
    source, output = values.activation(operator, 0, dtypes), values.make(operator, dtypes)
    all_int8 = values.stored_input(operator, 0).dtype == values.stored_output(operator).dtype == "INT8"
    activation = "NONE" if quantizes else operator.name
    return Clamp(operator.name, operator.position, (source,), output, activation, all_int8)


def table_of(operator: Clamp, kernels: Kernels) -> Table:
    """Return int [256]: the results for the values -128, -127, ...

    Raises:
        ArtifactUnsupported: types or scales with which XNNPACK leaves a QUANTIZE to other kernels.
    """
    if operator.name == "QUANTIZE" and kernels == "xnnpack":
        return _xnnpack_table(operator)
    (source,), output = operator.inputs, operator.output
    ratio = float(np.float32(source.scale)) / float(np.float32(output.scale))
    if operator.name != "QUANTIZE":
        # ReluPrepare in tensorflow/lite/kernels/activations.cc rounds it; XNNPACK leaves these to LiteRT.
        ratio = float(np.float32(ratio))
    results = scaled(VALUES - source.zero_point, *fixed_point(ratio)) + output.zero_point
    clipped: Table = np.clip(results, *limits(operator.activation, output, "reference"))
    return clipped


def _xnnpack_table(operator: Clamp) -> Table:
    (source,), output = operator.inputs, operator.output
    if not operator.all_int8:
        if (source.scale, source.zero_point) == (output.scale, output.zero_point):
            return VALUES
        raise refused(
            operator,
            "changes the scale or the zero point between uint8 and int8, which XNNPACK leaves to kernels that differ"
            " between processors; use --kernels reference, or convert the model with int8 input and output",
        )
    ratio = np.float32(source.scale) / np.float32(output.scale)
    if not SMALLEST_RATIO <= ratio <= LARGEST_RATIO:
        raise refused(
            operator,
            f"changes the scale by a factor of {ratio:.6g}, and XNNPACK supports {SMALLEST_RATIO:g} to"
            f" {LARGEST_RATIO:g}; use --kernels reference, or convert the model again",
        )
    # xnn_init_qs8_cvt_scalar_params: eight bits after the point, half up.
    multiplier = int(np.rint(np.float32(256) * ratio))
    results = ((output.zero_point << 8) + 128 + (VALUES - source.zero_point) * multiplier) >> 8
    clipped: Table = np.clip(results, LOWEST, HIGHEST)
    return clipped
