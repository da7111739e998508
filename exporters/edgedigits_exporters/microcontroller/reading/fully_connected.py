"""FULLY_CONNECTED, as a convolution whose window is the whole input."""

from edgedigits_exporters.microcontroller.graph import Convolution, Window
from edgedigits_exporters.microcontroller.reading.activations import fused_activation
from edgedigits_exporters.microcontroller.reading.stored import StoredOperator
from edgedigits_exporters.microcontroller.reading.values import (
    Values,
    options_of,
    require_inputs,
    require_shape,
    shape_text,
)
from edgedigits_exporters.microcontroller.reading.weights import check_requantization, read_weights
from edgedigits_runtime.errors import ArtifactUnsupported


def read(operator: StoredOperator, values: Values) -> Convolution:
    """Return a dense layer; the file's weights are [output channels, values of the input]."""
    options = options_of(operator, "FullyConnectedOptions")
    if options["weightsFormat"] != 0:
        raise ArtifactUnsupported(
            f"{operator.where} has its weights in format {options['weightsFormat']}, expected DEFAULT (0);"
            " convert the model without shuffled weights"
        )
    if options["quantSpec"] is not None and len(options["quantSpec"]):
        raise ArtifactUnsupported(f"{operator.where} has the attribute quantSpec, which is not compiled")
    require_inputs(operator, 2, 3)
    taken, made = values.activation(operator, 0), values.make(operator)
    weights = read_weights(operator, values, rank=2, axis=0, may_have_zero_point=True)
    channels, depth = weights.values.shape
    height, width, taken_channels = taken.shape
    if depth != height * width * taken_channels:
        raise ArtifactUnsupported(
            f"{operator.where} takes {depth} values at a time of an input of {shape_text(taken.shape)}, and only dense"
            " layers over the whole input are compiled; flatten before it, or use Conv2D with a 1x1 kernel"
        )
    require_shape(operator, made, (1, 1, channels))
    check_requantization(operator, taken, weights, made)
    return Convolution(
        name=operator.name,
        position=operator.position,
        inputs=(taken,),
        output=made,
        window=Window((height, width)),
        weights=weights.values.reshape(channels, height, width, taken_channels),
        weights_zero_point=weights.zero_point,
        weight_scales=weights.scales,
        bias=weights.bias,
        activation=fused_activation(operator),
    )
