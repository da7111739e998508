"""DEPTHWISE_CONV_2D."""

from edgedigits_exporters.microcontroller.graph import Depthwise
from edgedigits_exporters.microcontroller.reading.activations import fused_activation
from edgedigits_exporters.microcontroller.reading.stored import StoredOperator
from edgedigits_exporters.microcontroller.reading.values import Values, options_of, require_inputs, require_shape
from edgedigits_exporters.microcontroller.reading.weights import check_requantization, read_weights
from edgedigits_exporters.microcontroller.reading.windows import window_of
from edgedigits_runtime.errors import ArtifactCorrupt


def read(operator: StoredOperator, values: Values) -> Depthwise:
    """Return a depthwise convolution: weights [1, height, width, output channels]."""
    multiplier = options_of(operator, "DepthwiseConv2DOptions")["depthMultiplier"]
    require_inputs(operator, 2, 3)
    taken, made = values.activation(operator, 0), values.make(operator)
    weights = read_weights(operator, values, rank=4, axis=3)
    first, height, width, channels = weights.values.shape
    if first != 1 or multiplier < 1 or channels != taken.shape[2] * multiplier:
        raise ArtifactCorrupt(
            f"{operator.where} has weights of shape {list(weights.values.shape)} and a depth multiplier of"
            f" {multiplier} for {taken.shape[2]} input channels; export it again"
        )
    window, (rows, columns) = window_of(operator, taken, (height, width))
    require_shape(operator, made, (rows, columns, channels))
    check_requantization(operator, taken, weights, made)
    return Depthwise(
        name=operator.name,
        position=operator.position,
        inputs=(taken,),
        output=made,
        window=window,
        weights=weights.values,
        weights_zero_point=weights.zero_point,
        weight_scales=weights.scales,
        bias=weights.bias,
        activation=fused_activation(operator),
        multiplier=multiplier,
    )
