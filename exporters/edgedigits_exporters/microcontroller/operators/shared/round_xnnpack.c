/* Round to the nearest integer, ties to even. Adding 1.5 * 2^23 leaves the integer in the low bits of a float; exact for
   magnitudes below 2^22. */
KERNEL int32_t nearest(float value)
{
    const float shifted = value + 12582912.0f;
    int32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    return bits - 0x4B400000;
}
