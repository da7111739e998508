"""FULLY_CONNECTED for `--kernels reference`, whose rounding is another than that of convolutions."""

import math

from edgedigits_exporters.microcontroller.activations import Kernels
from edgedigits_exporters.microcontroller.graph import Convolution
from edgedigits_exporters.microcontroller.layers import requantization
from edgedigits_exporters.microcontroller.layers.layer import Layer, Place, Source, described, refused, rows_read
from edgedigits_exporters.microcontroller.writing import literals

AXES = (1, 2, 3)


def lower(operator: Convolution, sources: tuple[Source, ...], kernels: Kernels) -> Layer:
    """Return a dense layer as C.

    Raises:
        ArtifactUnsupported: weights with a zero point, for which XNNPACK has no kernel, or sums too large to round.
    """
    (source,) = sources
    if kernels == "xnnpack":
        raise refused(
            operator,
            f"has weights with the zero point {operator.weights_zero_point}, which XNNPACK leaves to kernels that"
            " answer differently on each processor; use --kernels reference, or convert the model again",
        )
    requantization.require_small_results(operator, AXES)

    def define(place: Place) -> str:
        number = place.number
        return "\n".join(
            [
                literals.array("int8_t", f"weights_{number}", operator.weights),
                literals.array("int32_t", f"bias_{number}", requantization.folded_bias(operator, AXES)),
                literals.array("double", f"scale_{number}", requantization.exact_scales(operator)),
                literals.structure(
                    "dense",
                    f"layer_{number}",
                    {
                        "length": str(math.prod(source.tensor.shape)),
                        "channels": str(operator.output.shape[2]),
                        "weights_zero": str(operator.weights_zero_point),
                        "weights": f"weights_{number}",
                        "bias": f"bias_{number}",
                        "scale": f"scale_{number}",
                        **requantization.output_fields(operator, kernels),
                    },
                ),
            ]
        )

    return Layer(
        kernels=("limited", "dense_reference"),
        steps=1,
        # All of them are needed at once, so they lie in memory one behind the other.
        reads=(rows_read(source, operator.window),),
        structure="dense",
        define=define,
        call="dense_row(layer, {input}, {output});",
        comment=f"{operator.name}: {described(operator.inputs[0])} to {described(operator.output)}",
    )
