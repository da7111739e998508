/* Convert sums of products to stored values plus 128, with the rounding of LiteRT's reference kernels, in integers. */
typedef struct {
    const int32_t *bias;       /* of each channel, less the part of each sum that the input's zero point adds */
    const int32_t *multiplier; /* of each channel, in units of 2^-31 */
    const int8_t *shift;       /* of each channel */
    uint8_t zero, low, high;
} requantization;

KERNEL uint8_t requantize(const requantization *to, int c, int32_t sum)
{
    const int32_t value =
        scaled(READ_INT32(to->bias + c) + sum, READ_INT32(to->multiplier + c), READ_INT8(to->shift + c));
    return limited(value + to->zero, to->low, to->high);
}
