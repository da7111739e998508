/* Return value * multiplier / 2^31 * 2^shift, rounded twice as in LiteRT. */
KERNEL int32_t scaled(int32_t value, int32_t multiplier, int shift)
{
    if (shift > 0) return high_product(value * ((int32_t)1 << shift), multiplier);
    return rounded_shift(high_product(value, multiplier), -shift);
}
