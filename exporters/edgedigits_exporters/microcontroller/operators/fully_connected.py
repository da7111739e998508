"""FULLY_CONNECTED: a convolution over the whole input, except that the reference kernels round it differently."""

import math

from edgedigits_exporters.microcontroller import literals, requantization
from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.graph import Window
from edgedigits_exporters.microcontroller.layer import Layer, Place, Source, make_layer, refused, rows_read
from edgedigits_exporters.microcontroller.operators import convolution
from edgedigits_exporters.microcontroller.operators.convolution import Convolution
from edgedigits_exporters.microcontroller.values import Values, format_sides, options_of, require_shape
from edgedigits_exporters.microcontroller.weights import parse_weighted
from edgedigits_runtime.errors import ArtifactUnsupported
from edgedigits_runtime.untrusted.tflite_model import StoredOperator


def parse(operator: StoredOperator, values: Values) -> Convolution:
    """Return a dense layer; the file's weights are [output channels, values of the input]."""
    options = options_of(operator)
    if options["weights_format"] != 0:
        raise ArtifactUnsupported(
            f"{operator.where} has its weights in format {options['weights_format']}, expected DEFAULT (0);"
            " convert the model without shuffled weights"
        )
    if len(options["quant_spec"]):
        raise ArtifactUnsupported(f"{operator.where} has the attribute quant_spec, which is not supported")
    fields = parse_weighted(operator, values, axis=0, may_have_zero_point=True)
    (source,), (channels, depth) = fields["inputs"], fields["weights"].shape
    if depth != math.prod(source.shape):
        raise ArtifactUnsupported(
            f"{operator.where} reads {depth} values at a time of an input of {format_sides(source.shape)}, expected"
            " all; flatten before it, or use Conv2D with a 1x1 kernel"
        )
    require_shape(operator, fields["output"], (1, 1, channels))
    fields["weights"] = fields["weights"].reshape(channels, *source.shape)
    return Convolution(window=Window(source.shape[:2]), **fields)


def lower(operator: Convolution, sources: tuple[Source, ...], kernels: Kernels) -> Layer:
    """Return a dense layer as C.

    Raises:
        ArtifactUnsupported: weights with a zero point, for which XNNPACK has no kernel, or sums too large to round.
    """
    if kernels == "xnnpack" and operator.weights_zero_point:
        raise refused(
            operator,
            f"has weights with the zero point {operator.weights_zero_point}, which XNNPACK leaves to kernels that"
            " differ between processors; use --kernels reference, or convert the model again",
        )
    if kernels == "xnnpack":
        return convolution.lower(operator, sources, kernels)
    (source,) = sources
    requantization.require_small_results(operator)

    def arrays(place: Place) -> list[str]:
        number = place.number
        return [
            literals.array("int8_t", f"weights_{number}", operator.weights),
            literals.array("int32_t", f"bias_{number}", requantization.folded_bias(operator)),
            literals.array("double", f"scale_{number}", requantization.exact_scales(operator)),
        ]

    return make_layer(
        operator, sources, ("limited", "dense_reference"), "dense",
        lambda place: {
            "length": math.prod(source.tensor.shape), "channels": operator.output.shape[2],
            "weights_zero": operator.weights_zero_point,
            **{name: f"{name}_{place.number}" for name in ("weights", "bias", "scale")},
            **requantization.output_fields(operator, kernels),
        },
        "dense_row(layer, {input}, {output});",
        # All rows are needed at once and lie in memory one after the other.
        arrays=arrays, reads=(rows_read(source, operator.window),),
    )  # fmt: skip
