/* The whole number nearest to a value, ties to even. Adding 1.5 * 2^23 leaves the whole number in the low bits of a
   float; exact below 2^22 in size. */
KERNEL int32_t nearest(float value)
{
    const float shifted = value + 12582912.0f;
    int32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    return bits - 0x4B400000;
}
