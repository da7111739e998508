"""DEPTHWISE_CONV_2D and the CONV_2D over its channels, as one layer; planning.lowering joins them."""

import dataclasses
from dataclasses import dataclass

from edgedigits_exporters.microcontroller import literals, requantization
from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.graph import Operator
from edgedigits_exporters.microcontroller.layer import (
    Layer,
    Place,
    Source,
    describe,
    describe_window,
    require_sizes,
    rows_read,
    window_fields,
)
from edgedigits_exporters.microcontroller.operators import convolution, depthwise
from edgedigits_exporters.microcontroller.operators.convolution import Convolution
from edgedigits_exporters.microcontroller.operators.depthwise import Depthwise


@dataclass(frozen=True)
class Separable(Operator):
    """A Depthwise, and the Convolution with a 1x1 window that alone reads it."""

    first: Depthwise
    then: Convolution

    @property
    def multiply_accumulates(self) -> int:
        return self.first.multiply_accumulates + self.then.multiply_accumulates


def lower(operator: Separable, sources: tuple[Source, ...], kernels: Kernels) -> Layer:
    """Return a separable convolution as C.

    Raises:
        ArtifactUnsupported: sums too large to round.
    """
    (source,) = sources
    first, then = operator.first, operator.then
    requantization.require_small_results(first)
    requantization.require_small_results(then)
    require_sizes(first)
    channels = first.output.shape[2]

    def define(place: Place) -> str:
        number = place.number
        window_text = window_fields(source, first.window, place.input_rows[0], first.output)
        numbers = {
            "first": depthwise.fields(first, f"{number}a", window_text, 1, kernels),
            "then": convolution.fields(then, f"{number}b", _two_pixels(operator), place.rows, kernels),
        }
        parts = {name: literals.initialiser(part) for name, part in numbers.items()}
        return "\n".join(
            [
                depthwise.arrays(first, f"{number}a", kernels),
                convolution.arrays(then, f"{number}b", kernels),
                literals.structure("separable", f"layer_{number}", parts),
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
        comment=f"{first.name}, {describe_window(first.window)}, and {then.name} over its channels:"
        f" {describe(operator.inputs[0])} by way of {describe(first.output)} to {describe(operator.output)}",
        patch_bytes=before + 2 * channels,
        wide_patch_bytes=before + convolution.wide_patches_bytes(channels),
        window_height=first.window.size[0],
    )


def _two_pixels(operator: Separable) -> str:
    """Return the initialiser of the second convolution's input_window: two pixels that the first has computed."""
    pixels = dataclasses.replace(operator.first.output, shape=(1, 2, operator.first.output.shape[2]))
    output = dataclasses.replace(operator.output, shape=(1, 2, operator.output.shape[2]))
    return window_fields(Source(0, pixels, pixels), operator.then.window, 1, output)
