/* SOFTMAX in fixed point, as LiteRT's reference kernel computes it; a table holds the powers of e by the distance from
   the largest value. */
typedef struct {
    int16_t channels;
    const int32_t *powers; /* in units of 2^-31 */
} softmax;

/* Return 1 / (1 + a), in units of 2^-31, by Newton's method. */
static int32_t reciprocal(int32_t a)
{
    const int32_t half = 0x40000000 + (a >> 1);
    int32_t x = 1515870810 + high_product(half, -1010580540); /* 48/17 and -32/17, in units of 2^-29 */

    for (int i = 0; i < 3; i++) x += 4 * high_product(x, 0x20000000 - high_product(half, x));
    return x >= 0x40000000 ? INT32_MAX : 2 * x;
}

KERNEL void softmax_row(const softmax *layer, const uint8_t *input, uint8_t *output)
{
    uint8_t largest = 0;
    uint32_t sum = 0;
    int shift = 35;
    int32_t scale;

    for (int c = 0; c < layer->channels; c++) largest = input[c] > largest ? input[c] : largest;
    for (int c = 0; c < layer->channels; c++)
        sum += (uint32_t)rounded_shift(READ_INT32(layer->powers + (largest - input[c])), 12);
    for (; sum < 0x80000000; sum *= 2) shift--;
    scale = reciprocal((int32_t)(sum - 0x80000000));
    for (int c = 0; c < layer->channels; c++) {
        const int32_t power = READ_INT32(layer->powers + (largest - input[c]));
        output[c] = limited(rounded_shift(high_product(scale, power), shift), 0, 255);
    }
}
