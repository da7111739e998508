"""SOFTMAX over a vector."""

import math

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters.microcontroller.activations import Kernels
from edgedigits_exporters.microcontroller.graph import Operator, Softmax
from edgedigits_exporters.microcontroller.layers.exponential import exponential
from edgedigits_exporters.microcontroller.layers.fixed_point import ONE, fixed_point, high_product, rounded_shift
from edgedigits_exporters.microcontroller.layers.layer import Layer, Place, Source, described, refused, rows_read
from edgedigits_exporters.microcontroller.writing import literals

KERNELS = {"xnnpack": ("limited", "softmax_xnnpack"), "reference": ("limited", "round_reference", "softmax_reference")}
"""Files under kernels/."""

INTEGER_BITS = 5
"""Of a distance in fixed point; larger ones count as infinite (kScaledDiffIntegerBits)."""
MOST_CHANNELS = 511
"""Up to which the sum of the powers stays where LiteRT's reference kernel is defined."""
HALVINGS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
"""e to the power of -1/4, -1/2, -1, -2, -4, -8 and -16, in 2^31sts."""


def lower(operator: Operator, sources: tuple[Source, ...], kernels: Kernels) -> Layer:
    """Return a softmax as C.

    Raises:
        ArtifactUnsupported: more channels than LiteRT's reference kernel can sum.
    """
    assert isinstance(operator, Softmax)
    (source,) = sources
    channels = source.tensor.shape[2]
    if kernels == "reference" and channels > MOST_CHANNELS:
        raise refused(
            operator,
            f"has {channels} channels, and LiteRT's reference kernel sums at most {MOST_CHANNELS};"
            " use --kernels xnnpack",
        )
    kind, table = ("float", powers(operator)) if kernels == "xnnpack" else ("int32_t", fixed_point_powers(operator))

    def define(place: Place) -> str:
        number = place.number
        fields = {"channels": str(channels), "powers": f"powers_{number}"}
        array = literals.array(kind, f"powers_{number}", table)
        return "\n".join([array, literals.structure("softmax", f"layer_{number}", fields)])

    return Layer(
        kernels=KERNELS[kernels],
        steps=1,
        reads=(rows_read(source),),
        structure="softmax",
        define=define,
        call="softmax_row(layer, {input}, {output});",
        comment=f"{operator.name}: {described(operator.inputs[0])} to {described(operator.output)}",
    )


def powers(operator: Softmax) -> NDArray[np.float32]:
    """Return e to the power of minus each distance 0..255 from the largest value, as LiteRT's table holds it."""
    scale = np.float32(operator.inputs[0].scale) * np.float32(operator.beta)
    return exponential(-scale * np.arange(256, dtype=np.float32))


def fixed_point_powers(operator: Softmax) -> NDArray[np.int64]:
    """Return the same in 2^31sts, as LiteRT's reference kernel computes it; 0 for distances that it leaves out.

    Source: Softmax in tensorflow/lite/kernels/internal/reference/softmax.h.

    Raises:
        ArtifactUnsupported: an input's scale so small that LiteRT stops.
    """
    unit = 2.0 ** (31 - INTEGER_BITS)
    scale = float(np.float32(operator.beta)) * float(np.float32(operator.inputs[0].scale)) * unit
    if scale <= 1:
        raise refused(operator, f"has an input scale of {operator.inputs[0].scale:.3g}, too small for LiteRT")
    multiplier, shift = fixed_point(min(scale, ONE - 1.0))
    furthest = math.floor(((1 << INTEGER_BITS) - 1) * unit / 2.0**shift)
    distances = np.arange(256)
    kept = distances <= furthest
    return np.where(kept, _negative_power(high_product(np.where(kept, -distances << shift, 0), multiplier)), 0)


def _negative_power(exponents: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return e to the power of exponents <= 0 in 2^26ths, in 2^31sts: exp_on_negative_values in gemmlowp."""
    quarter = 1 << 24
    modulo = (exponents & (quarter - 1)) - quarter
    x = (modulo << INTEGER_BITS) + (1 << 28)
    square = high_product(x, x)
    cube, fourth = high_product(square, x), high_product(square, square)
    series = rounded_shift(high_product(rounded_shift(fourth, 2) + cube, 715827883) + square, 1)
    result = 1895147668 + high_product(x + series, 1895147668)
    rest = modulo - exponents
    for bit, factor in enumerate(HALVINGS, start=24):
        result = np.where(rest & (1 << bit), high_product(result, factor), result)
    return np.where(exponents == 0, ONE - 1, result)
