"""HARD_SWISH, as a table."""

from dataclasses import dataclass

import numpy as np

from edgedigits_exporters.microcontroller.activation_limits import HIGHEST, LOWEST, Kernels
from edgedigits_exporters.microcontroller.fixed_point import fixed_point, rounded_shift
from edgedigits_exporters.microcontroller.graph import Operator
from edgedigits_exporters.microcontroller.layer import refused
from edgedigits_exporters.microcontroller.tables import VALUES, Table
from edgedigits_exporters.microcontroller.values import Values
from edgedigits_runtime.untrusted.tflite_model import StoredOperator

LARGEST, LONGEST_SHIFT = 2**15 - 1, 15


@dataclass(frozen=True)
class HardSwish(Operator):
    """HARD_SWISH: x * relu6(x + 3) / 6."""


def parse(operator: StoredOperator, values: Values) -> HardSwish:
    """Return a hard swish."""
    return HardSwish(operator.name, operator.position, (values.activation(operator, 0),), values.make(operator))


def table_of(operator: HardSwish, _kernels: Kernels) -> Table:
    """Return the results for the values -128, -127, ..., with 16 bits at every step; XNNPACK leaves them to LiteRT.

    Source: HardSwishPrepare in tensorflow/lite/kernels/activations.cc, and HardSwish in
    tensorflow/lite/kernels/internal/reference/hard_swish.h.
    """
    (source,), output = operator.inputs, operator.output
    step = np.float32(1 / 128) * np.float32(source.scale)
    scale, shift = _short_fixed_point(step / np.float32(output.scale))
    gate_scale, gate_shift = _short_fixed_point(step / np.float32(3 / 32768))
    if not -LONGEST_SHIFT <= shift <= 0 or gate_shift < -LONGEST_SHIFT:
        raise refused(
            operator,
            f"has a scale of {source.scale:.6g} before and {output.scale:.6g} after, which LiteRT does not support;"
            " calibrate the model with pictures like those in use",
        )
    values = (VALUES - source.zero_point) << 7
    # The gate is relu6(x + 3) / 6, from -1 to 1 until it is halved.
    gate = _saturated(values << max(gate_shift - 1, 0))
    gate = _rounded_product(gate, gate_scale)
    gate = _saturated(gate << 1) if gate_shift > 0 else rounded_shift(gate, -gate_shift)
    gate = (gate + 2**15) >> 1
    product = gate * _rounded_product(values, scale)
    truncated = np.sign(product) * (np.abs(product) >> 15)
    clipped: Table = np.clip(rounded_shift(truncated, -shift) + output.zero_point, LOWEST, HIGHEST)
    return clipped


def _short_fixed_point(scale: np.float32) -> tuple[int, int]:
    """Return a scale as a multiplier in units of 2^-15 and a shift."""
    multiplier, shift = fixed_point(float(scale))
    return min((multiplier + 2**15) >> 16, LARGEST), shift


def _rounded_product(values: Table, multiplier: int) -> Table:
    """Return values * multiplier / 2^15, to the nearest, half up."""
    return (values * multiplier + 2**14) >> 15


def _saturated(values: Table) -> Table:
    clipped: Table = np.clip(values, -LARGEST - 1, LARGEST)
    return clipped
