/* Fixed-point arithmetic of LiteRT's reference kernels, in integers. It relies on compilers that shift negative numbers
   to the right arithmetically. */

/* Multiply two fractions in units of 2^-31, to the nearest. */
KERNEL int32_t high_product(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + 0x40000000) >> 31);
}

/* Divide a value by 2^exponent, to the nearest, ties away from zero. */
KERNEL int32_t rounded_shift(int32_t value, int exponent)
{
    const int32_t mask = (int32_t)(((uint32_t)1 << exponent) - 1);
    const int32_t half = (mask >> 1) + (value < 0);
    return (value >> exponent) + ((value & mask) > half);
}
