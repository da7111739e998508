/* ADD of a row, in integers, with the scaling of LiteRT's reference kernel: both inputs to a common scale of 2^-20 steps,
   then to that of the output. */
typedef struct {
    uint8_t zero;
    int32_t multiplier; /* in units of 2^-31 */
    uint8_t shift;      /* to the right */
} scaling;

typedef struct {
    int32_t length;                        /* of a row */
    int16_t first_rows, second_rows, rows; /* in memory, of the inputs and the output */
    scaling first, second, output;
    uint8_t low, high;
} addition;

KERNEL int32_t term(const scaling *from, uint8_t value)
{
    return rounded_shift(high_product((value - from->zero) * (int32_t)0x100000, from->multiplier), from->shift);
}

KERNEL void add_row(const addition *layer, const uint8_t *a, const uint8_t *b, int y, uint8_t *output)
{
    a += row_at(y, layer->first_rows, layer->length);
    b += row_at(y, layer->second_rows, layer->length);
    output += row_at(y, layer->rows, layer->length);
    for (int32_t i = 0; i < layer->length; i++) {
        const int32_t sum = term(&layer->first, a[i]) + term(&layer->second, b[i]);
        const int32_t value = rounded_shift(high_product(sum, layer->output.multiplier), layer->output.shift);
        output[i] = limited(value + layer->output.zero, layer->low, layer->high);
    }
}
