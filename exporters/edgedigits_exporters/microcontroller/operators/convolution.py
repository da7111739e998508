"""CONV_2D, and the layer of FULLY_CONNECTED as a convolution whose window is the whole input."""

import math
from dataclasses import dataclass
from typing import ClassVar

from edgedigits_exporters.microcontroller import requantization
from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.layer import Layer, Source
from edgedigits_exporters.microcontroller.values import Values
from edgedigits_exporters.microcontroller.weights import WeightedOperator, parse_weighted, parse_window
from edgedigits_runtime.errors import ArtifactUnsupported
from edgedigits_runtime.untrusted.tflite_model import StoredOperator

LANES = 32
"""Values that the C code rounds patches up to where compilers have vectors."""


@dataclass(frozen=True)
class Convolution(WeightedOperator):
    """CONV_2D or FULLY_CONNECTED: weights [output channels, kernel height, kernel width, input channels]."""

    axes: ClassVar = (1, 2, 3)
    spare: ClassVar = "SPARE"


def parse(operator: StoredOperator, values: Values) -> Convolution:
    """Return a convolution."""
    fields = parse_weighted(operator, values, axis=0)
    (source,), (_, height, width, depth) = fields["inputs"], fields["weights"].shape
    if depth != source.shape[2]:
        raise ArtifactUnsupported(
            f"{operator.where} has weights for {depth} of {source.shape[2]} input channels, and groups are not"
            " supported; use DepthwiseConv2D or a plain Conv2D"
        )
    return Convolution(window=parse_window(operator, source, (height, width)), **fields)


def lower(operator: Convolution, sources: tuple[Source, ...], kernels: Kernels) -> Layer:
    """Return a convolution as C.

    Raises:
        ArtifactUnsupported: sums too large to round.
    """
    length = math.prod(operator.weights.shape[1:])
    files = (
        "words",
        "window",
        "gather",
        "products",
        *requantization.KERNELS[kernels],
        "convolution",
        "convolution_row",
    )
    return requantization.weighted_layer(
        operator, sources, kernels, files, "convolution", "convolve_row(layer, {input}, y, {output}, {patch});",
        patch_bytes=2 * length, wide_patch_bytes=wide_patches_bytes(length),
    )  # fmt: skip


def wide_patches_bytes(length: int) -> int:
    """Return the bytes of two patches where several values are multiplied at once.

    Dual multiplies take 16-bit values, made of the bytes of one patch; vectors take bytes, with zeros at the end.
    """
    dual = 4 * (-(-length // 4) * 4) + length
    return max(dual, 2 * (-(-length // LANES) * LANES))
