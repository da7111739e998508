/* ADD or SUB of a row, in integers, with the scaling of LiteRT's reference kernel: both operands to a common scale of
   2^-20 steps, then to that of the output. */
typedef struct {
    uint8_t zero;
    int32_t multiplier; /* in units of 2^-31 */
    uint8_t shift;      /* to the right */
} scaling;

typedef struct {
    operands of;
    scaling first, second, output;
    int8_t sign; /* of the second */
    uint8_t low, high;
} addition;

KERNEL int32_t term(const scaling *from, uint8_t value)
{
    return rounded_shift(high_product((value - from->zero) * (int32_t)0x100000, from->multiplier), from->shift);
}

KERNEL void add_row(const addition *layer, const uint8_t *a, const uint8_t *b, int y, uint8_t *output)
{
    const operands *const of = &layer->of;

    output += row_at(y, of->rows, of->columns * of->channels);
    for (int x = 0; x < of->columns; x++)
        for (int32_t c = 0; c < of->channels; c++) {
            const int32_t sum = term(&layer->first, value_of(&of->first, a, y, x, c)) +
                                layer->sign * term(&layer->second, value_of(&of->second, b, y, x, c));
            const int32_t value = rounded_shift(high_product(sum, layer->output.multiplier), layer->output.shift);
            *output++ = limited(value + layer->output.zero, layer->low, layer->high);
        }
}
