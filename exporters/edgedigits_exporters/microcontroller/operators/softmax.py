"""SOFTMAX over a vector."""

import decimal
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters.microcontroller import literals
from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.fixed_point import ONE, fixed_point, high_product, rounded_shift
from edgedigits_exporters.microcontroller.graph import Operator
from edgedigits_exporters.microcontroller.layer import Layer, Source, make_layer, refused
from edgedigits_exporters.microcontroller.values import Values, format_sides, options_of
from edgedigits_runtime.errors import ArtifactUnsupported
from edgedigits_runtime.untrusted.tflite_model import StoredOperator

KERNELS = {"xnnpack": ("limited", "softmax_xnnpack"), "reference": ("limited", "round_reference", "softmax_reference")}
"""C files."""

SCALE, ZERO_POINT = 1 / 256, -128
"""Quantization of an int8 softmax's output (SoftmaxPrepare in tensorflow/lite/kernels/activations.cc)."""
INTEGER_BITS = 5
"""Integer bits of a distance in fixed point; larger ones count as infinite (kScaledDiffIntegerBits)."""
MOST_CHANNELS = 511
"""Most classes for which the sum of the powers stays where LiteRT's reference kernel is defined."""
HALVINGS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
"""e to the power of -1/4, -1/2, -1, -2, -4, -8 and -16, in units of 2^-31."""

STEPS = 32
"""Steps of an octave, in `exponential`."""
INVERSE_LN2 = float.fromhex("0x1.71547652b82fep+0")
CUBIC, SQUARE, LINEAR = (
    float.fromhex(coefficient) / STEPS**degree
    for coefficient, degree in (("0x1.c6af84b912394p-5", 3), ("0x1.ebfce50fac4f3p-3", 2), ("0x1.62e42ff0c52d6p-1", 1))
)


@dataclass(frozen=True)
class Softmax(Operator):
    """SOFTMAX over the channels of a vector."""

    beta: float


def parse(operator: StoredOperator, values: Values) -> Softmax:
    """Return a softmax over one vector."""
    source, output = values.activation(operator, 0), values.make(operator)
    if source.shape[:2] != (1, 1) or len(values.stored_input(operator, 0).shape) == 3:
        raise ArtifactUnsupported(
            f"{operator.where} reads {format_sides(source.shape)}, expected one vector; flatten before it"
        )
    if output.scale != SCALE or output.zero_point != ZERO_POINT:
        raise ArtifactUnsupported(
            f"{operator.where} makes values of scale {output.scale:.6g} and zero point {output.zero_point}, expected"
            " 1/256 and -128; convert the model again"
        )
    return Softmax(operator.name, operator.position, (source,), output, float(options_of(operator)["beta"]))


def lower(operator: Softmax, sources: tuple[Source, ...], kernels: Kernels) -> Layer:
    """Return a softmax as C.

    Raises:
        ArtifactUnsupported: more channels than LiteRT's reference kernel can sum, or a scale too small for it.
    """
    channels = sources[0].tensor.shape[2]
    if kernels == "reference" and channels > MOST_CHANNELS:
        raise refused(
            operator,
            f"has {channels} channels, and LiteRT's reference kernel sums at most {MOST_CHANNELS};"
            " use --kernels xnnpack",
        )
    kind, table = ("float", _powers(operator)) if kernels == "xnnpack" else ("int32_t", _fixed_point_powers(operator))
    return make_layer(
        operator, sources, KERNELS[kernels], "softmax",
        lambda place: {"channels": channels, "powers": f"powers_{place.number}"},
        "softmax_row(layer, {input}, {output});",
        arrays=lambda place: [literals.array(kind, f"powers_{place.number}", table)],
    )  # fmt: skip


def exponential(exponents: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return e to the power of exponents between -80 and slightly above 0, as glibc's expf, which LiteRT uses.

    A double exponential rounded to float32 differs in 0.06% of the cases, and then the last bit of a softmax does.
    Source: ARM's optimized routines (math/expf.c, math/exp2f_data.c). With k = round(32 x / ln 2) and the remainder r,
    it is 2^(k / 32) times a cubic polynomial in r, all in double.

    Args:
        exponents: float32 of any shape.
    """
    scaled = exponents.astype(np.float64) * (INVERSE_LN2 * STEPS)
    whole = np.rint(scaled)
    rest = scaled - whole
    octaves, step = np.divmod(whole.astype(int), STEPS)
    roots = np.array([float(decimal.Decimal(2) ** (decimal.Decimal(i) / STEPS)) for i in range(STEPS)])
    powers = np.ldexp(roots[step], octaves)
    values = ((CUBIC * rest + SQUARE) * (rest * rest) + (LINEAR * rest + 1)) * powers
    return np.asarray(values, np.float32)


def _powers(operator: Softmax) -> NDArray[np.float32]:
    """Return e to the power of minus each distance 0..255 from the largest value, as LiteRT's table has it."""
    scale = np.float32(operator.inputs[0].scale) * np.float32(operator.beta)
    return exponential(-scale * np.arange(256, dtype=np.float32))


def _fixed_point_powers(operator: Softmax) -> NDArray[np.int64]:
    """Return the same in units of 2^-31, as LiteRT's reference kernel computes it; 0 for distances that it ignores.

    Source: Softmax in tensorflow/lite/kernels/internal/reference/softmax.h.
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
    """Return e to the power of exponents <= 0, from units of 2^-26 to 2^-31: exp_on_negative_values in gemmlowp."""
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
