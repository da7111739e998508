"""DEPTHWISE_CONV_2D and the CONV_2D over its channels that alone reads it, as one layer."""

import dataclasses

from edgedigits_exporters.microcontroller.activations import Kernels
from edgedigits_exporters.microcontroller.graph import Operator, Separable, Tensor
from edgedigits_exporters.microcontroller.layers import convolution, depthwise, requantization
from edgedigits_exporters.microcontroller.layers.layer import (
    Layer,
    Place,
    Source,
    described,
    rows_read,
    window_fields,
)
from edgedigits_exporters.microcontroller.writing import literals


def lower(operator: Operator, sources: tuple[Source, ...], kernels: Kernels) -> Layer:
    """Return a separable convolution as C.

    Raises:
        ArtifactUnsupported: sums too large to round.
    """
    assert isinstance(operator, Separable)
    (source,) = sources
    first, then = operator.first, operator.then
    requantization.require_small_results(first, depthwise.AXES)
    requantization.require_small_results(then, convolution.AXES)
    channels = first.output.shape[2]

    def define(place: Place) -> str:
        number = place.number
        looked_at = window_fields(source, first.window, place.input_rows[0], first.output)
        numbers = {
            "first": depthwise.fields(first, f"{number}a", looked_at, 1, kernels),
            "then": convolution.fields(then, f"{number}b", _two_pixels(operator), place.rows, kernels),
        }
        return "\n".join(
            [
                depthwise.arrays(first, f"{number}a", kernels),
                convolution.arrays(then, f"{number}b", kernels),
                literals.structure(
                    "separable", f"layer_{number}", {name: literals.initialiser(part) for name, part in numbers.items()}
                ),
            ]
        )

    # Two pixels, then the patches made of them.
    before = -(-2 * channels // 4) * 4
    return Layer(
        kernels=(
            *("words", "window", "gather", "products", *requantization.KERNELS[kernels]),
            *("depthwise", "convolution", "separable"),
        ),
        steps=operator.output.shape[0],
        reads=(rows_read(source, first.window),),
        structure="separable",
        define=define,
        call="separable_row(layer, {input}, y, {output}, {patch});",
        comment=f"{first.name}, window {first.window.size[0]}x{first.window.size[1]}, stride {first.window.stride[0]}x"
        f"{first.window.stride[1]}, and {then.name} over its channels: {described(operator.inputs[0])} by way of"
        f" {described(first.output)} to {described(operator.output)}",
        patch_bytes=before + 2 * channels,
        wide_patch_bytes=before + convolution.wide_patches_bytes(channels),
        window_height=first.window.size[0],
    )


def _two_pixels(operator: Separable) -> str:
    """Return the initialiser of the input_window through which the second convolution sees what the first has made."""
    pixels = dataclasses.replace(operator.first.output, shape=(1, 2, operator.first.output.shape[2]))
    made: Tensor = dataclasses.replace(operator.output, shape=(1, 2, operator.output.shape[2]))
    return window_fields(Source(0, pixels, pixels), operator.then.window, 1, made)
