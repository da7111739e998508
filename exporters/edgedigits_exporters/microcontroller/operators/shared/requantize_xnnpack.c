/* Convert sums of products to stored values plus 128, with XNNPACK's rounding: the product in float32, then to the nearest. */
typedef struct {
    const int32_t *bias; /* of each channel, less the part of each sum that the input's zero point adds */
    const float *scale;  /* of each channel */
    uint8_t zero, low, high;
} requantization;

KERNEL uint8_t requantize(const requantization *to, int c, int32_t sum)
{
    const float value = (float)(READ_INT32(to->bias + c) + sum) * READ_FLOAT(to->scale + c);
    return limited(nearest(value) + to->zero, to->low, to->high);
}
