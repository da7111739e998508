/* A value times multiplier / 2^31 * 2^shift. It is rounded twice, as the model's own arithmetic does. */
KERNEL int32_t scaled(int32_t value, int32_t multiplier, int shift)
{
    if (shift > 0) return high_product(value * ((int32_t)1 << shift), multiplier);
    return rounded_shift(high_product(value, multiplier), -shift);
}
