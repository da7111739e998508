"""e to the power of x in float32, as the C library computes it that LiteRT was built with: glibc's expf.

A double exponential rounded to float32 is another in 0.06% of the cases, and a softmax then another in the last bit.
glibc's comes from ARM's optimized routines (math/expf.c, math/exp2f_data.c): with k = round(32 x / ln 2) and the
remainder r, it is 2^(k / 32) times a polynomial of the third degree in r, all in double.
"""

import decimal

import numpy as np
from numpy.typing import NDArray

STEPS = 32
"""Into which the octave is divided."""

INVERSE_LN2 = float.fromhex("0x1.71547652b82fep+0")
CUBIC, SQUARE, LINEAR = (
    float.fromhex(coefficient) / STEPS**degree
    for coefficient, degree in (("0x1.c6af84b912394p-5", 3), ("0x1.ebfce50fac4f3p-3", 2), ("0x1.62e42ff0c52d6p-1", 1))
)


def exponential(exponents: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return e to the power of `exponents`, float32 of any shape, each between -80 and 0 or a little above."""
    scaled = exponents.astype(np.float64) * (INVERSE_LN2 * STEPS)
    whole = np.rint(scaled)
    rest = scaled - whole
    octaves, step = np.divmod(whole.astype(int), STEPS)
    roots = np.array([float(decimal.Decimal(2) ** (decimal.Decimal(i) / STEPS)) for i in range(STEPS)])
    powers = np.ldexp(roots[step], octaves)
    values = ((CUBIC * rest + SQUARE) * (rest * rest) + (LINEAR * rest + 1)) * powers
    return np.asarray(values, np.float32)
