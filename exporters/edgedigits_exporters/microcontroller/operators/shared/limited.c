/* Clamp a value to limits. */
KERNEL uint8_t limited(int32_t value, int low, int high)
{
#if defined(__ARM_FEATURE_SAT)
    if (low == 0 && high == 255) return (uint8_t)__usat(value, 8);
#endif
    return (uint8_t)(value < low ? low : value > high ? high : value);
}
