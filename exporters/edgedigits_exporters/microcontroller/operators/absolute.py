"""ABS, as a table."""

from dataclasses import dataclass

import numpy as np

from edgedigits_exporters.microcontroller.activation_limits import HIGHEST, LOWEST, Kernels
from edgedigits_exporters.microcontroller.fixed_point import fixed_point, scaled
from edgedigits_exporters.microcontroller.graph import Operator
from edgedigits_exporters.microcontroller.requantization import require_small
from edgedigits_exporters.microcontroller.tables import VALUES, Table
from edgedigits_exporters.microcontroller.values import Values
from edgedigits_runtime.untrusted.tflite_model import StoredOperator


@dataclass(frozen=True)
class Absolute(Operator):
    """ABS."""


def parse(operator: StoredOperator, values: Values) -> Absolute:
    """Return an absolute value."""
    return Absolute(operator.name, operator.position, (values.activation(operator, 0),), values.make(operator))


def table_of(operator: Absolute, _kernels: Kernels) -> Table:
    """Return the results for the values -128, -127, ...; XNNPACK leaves them to LiteRT.

    Source: AbsEvalQuantized in tensorflow/lite/kernels/elementwise.cc.
    """
    (source,), output = operator.inputs, operator.output
    ratio = float(np.float32(source.scale) / np.float32(output.scale))
    require_small(operator, 255 * ratio)
    values = np.abs(VALUES - source.zero_point)
    results = values if ratio == 1 else scaled(values, *fixed_point(ratio))
    clipped: Table = np.clip(results + output.zero_point, LOWEST, HIGHEST)
    return clipped
