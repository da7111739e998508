"""Scales as integers, as in LiteRT's reference kernels: a multiplier in units of 2^-31 and a shift.

Source: QuantizeMultiplier in tensorflow/lite/kernels/internal/quantization_util.cc, and gemmlowp's fixedpoint.h.
"""

import math

import numpy as np
from numpy.typing import NDArray

ONE = 2**31
SMALLEST_SHIFT = -31
"""Smaller scales count as zero."""


def fixed_point(scale: float) -> tuple[int, int]:
    """Return (multiplier, shift) with scale ~ multiplier / 2^31 * 2^shift; (0, 0) where it is very small."""
    fraction, shift = math.frexp(scale)
    multiplier = math.floor(fraction * ONE + 0.5)
    if multiplier == ONE:
        multiplier, shift = multiplier // 2, shift + 1
    return (multiplier, shift) if shift >= SMALLEST_SHIFT else (0, 0)


def scaled(values: NDArray[np.int64], multiplier: int, shift: int) -> NDArray[np.int64]:
    """Return values times a scale, as operators/shared/scale_reference.c; they wrap around as int32 does."""
    wrapped = ((values << max(shift, 0)) + ONE) % (2 * ONE) - ONE
    return rounded_shift(high_product(wrapped, multiplier), max(-shift, 0))


def high_product(values: NDArray[np.int64], multiplier: int | NDArray[np.int64]) -> NDArray[np.int64]:
    """Return values * multiplier / 2^31, to the nearest."""
    return (values * multiplier + ONE // 2) >> 31


def rounded_shift(values: NDArray[np.int64], exponent: int) -> NDArray[np.int64]:
    """Return values / 2^exponent, to the nearest, ties away from zero."""
    mask = (1 << exponent) - 1
    return (values >> exponent) + ((values & mask) > (mask >> 1) + (values < 0))
