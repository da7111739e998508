"""SOFTMAX over the values of a vector."""

import math

from edgedigits_exporters.microcontroller.graph import Softmax
from edgedigits_exporters.microcontroller.reading.stored import StoredOperator
from edgedigits_exporters.microcontroller.reading.values import (
    Values,
    options_of,
    require_inputs,
    require_shape,
    shape_text,
)
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactUnsupported

SCALE, ZERO_POINT = 1 / 256, -128
"""What TFLite demands of an int8 softmax (SoftmaxPrepare in tensorflow/lite/kernels/activations.cc)."""


def read(operator: StoredOperator, values: Values) -> Softmax:
    """Return the probabilities' operator."""
    beta = float(options_of(operator, "SoftmaxOptions")["beta"])
    require_inputs(operator, 1, 1)
    taken, made = values.activation(operator, 0), values.make(operator)
    require_shape(operator, made, taken.shape)
    if taken.shape[:2] != (1, 1) or len(values.shape_of(operator, 0)) == 3:
        raise ArtifactUnsupported(
            f"{operator.where} takes {shape_text(taken.shape)}, and only a softmax over one vector is compiled;"
            " flatten before it"
        )
    if not (beta > 0 and math.isfinite(beta)):
        raise ArtifactCorrupt(f"{operator.where} has beta {beta}, expected a number above 0; export it again")
    if made.scale != SCALE or made.zero_point != ZERO_POINT:
        raise ArtifactUnsupported(
            f"{operator.where} gives values of scale {made.scale:.6g} and zero point {made.zero_point}, expected 1/256"
            " and -128; convert the model again"
        )
    return Softmax(operator.name, operator.position, (taken,), made, beta)
