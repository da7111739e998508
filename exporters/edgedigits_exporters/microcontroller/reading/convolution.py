"""CONV_2D."""

from edgedigits_exporters.microcontroller.graph import Convolution
from edgedigits_exporters.microcontroller.reading.activations import fused_activation
from edgedigits_exporters.microcontroller.reading.stored import StoredOperator
from edgedigits_exporters.microcontroller.reading.values import Values, options_of, require_inputs, require_shape
from edgedigits_exporters.microcontroller.reading.weights import check_requantization, read_weights
from edgedigits_exporters.microcontroller.reading.windows import window_of
from edgedigits_runtime.errors import ArtifactUnsupported


def read(operator: StoredOperator, values: Values) -> Convolution:
    """Return a convolution: weights [output channels, height, width, input channels]."""
    options_of(operator, "Conv2DOptions")
    require_inputs(operator, 2, 3)
    taken, made = values.activation(operator, 0), values.make(operator)
    weights = read_weights(operator, values, rank=4, axis=0)
    channels, height, width, depth = weights.values.shape
    if depth != taken.shape[2]:
        raise ArtifactUnsupported(
            f"{operator.where} has weights for {depth} input channels and {taken.shape[2]} come: groups are not"
            " compiled; use DepthwiseConv2D or a plain Conv2D"
        )
    window, (rows, columns) = window_of(operator, taken, (height, width))
    require_shape(operator, made, (rows, columns, channels))
    check_requantization(operator, taken, weights, made)
    return Convolution(
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
    )
