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
    make_layer,
    require_sizes,
    rows_read,
    window_fields,
)
from edgedigits_exporters.microcontroller.operators import convolution
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

    def fields(place: Place) -> dict[str, object]:
        number, rows = place.number, place.input_rows[0]
        windows = window_fields(source.tensor, first.window, rows, first.output), _two_pixels(operator)
        parts = {
            "first": requantization.weighted_fields(first, f"{number}a", windows[0], 1, kernels),
            "then": requantization.weighted_fields(then, f"{number}b", windows[1], place.rows, kernels),
        }
        return {name: literals.initialiser(part) for name, part in parts.items()}

    def arrays(place: Place) -> list[str]:
        pairs = ((first, f"{place.number}a"), (then, f"{place.number}b"))
        return [array for one, number in pairs for array in requantization.arrays(one, number, kernels)]

    # Two pixels, then the patches made of them.
    before = -(-2 * channels // 4) * 4
    files = ("words", "window", "gather", "products", *requantization.KERNELS[kernels])
    return make_layer(
        operator, sources, (*files, "depthwise", "convolution", "separable"), "separable", fields,
        "separable_row(layer, {input}, y, {output}, {patch});",
        arrays=arrays, reads=(rows_read(source, first.window),),
        comment=f"{first.name}, {describe_window(first.window)}, and {then.name} over its channels:"
        f" {describe(operator.inputs[0])} by way of {describe(first.output)} to {describe(operator.output)}",
        patch_bytes=before + 2 * channels, wide_patch_bytes=before + convolution.wide_patches_bytes(channels),
        window_height=first.window.size[0],
    )  # fmt: skip


def _two_pixels(operator: Separable) -> str:
    """Return the initialiser of the second convolution's input_window: two pixels that the first has computed."""
    pixels = dataclasses.replace(operator.first.output, shape=(1, 2, operator.first.output.shape[2]))
    output = dataclasses.replace(operator.output, shape=(1, 2, operator.output.shape[2]))
    return window_fields(pixels, operator.then.window, 1, output)
