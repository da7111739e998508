"""MAX_POOL_2D and AVERAGE_POOL_2D."""

from edgedigits_exporters.microcontroller.graph import Pool
from edgedigits_exporters.microcontroller.reading.activations import fused_activation
from edgedigits_exporters.microcontroller.reading.stored import StoredOperator
from edgedigits_exporters.microcontroller.reading.values import (
    Values,
    options_of,
    require_inputs,
    require_same_quantization,
    require_shape,
)
from edgedigits_exporters.microcontroller.reading.windows import window_of


def read(operator: StoredOperator, values: Values) -> Pool:
    """Return a pool; its output is quantized as its input is."""
    options = options_of(operator, "Pool2DOptions")
    require_inputs(operator, 1, 1)
    taken, made = values.activation(operator, 0), values.make(operator)
    window, (rows, columns) = window_of(operator, taken, (options["filterHeight"], options["filterWidth"]))
    require_shape(operator, made, (rows, columns, taken.shape[2]))
    require_same_quantization(operator, taken, made)
    return Pool(operator.name, operator.position, (taken,), made, window, fused_activation(operator))
