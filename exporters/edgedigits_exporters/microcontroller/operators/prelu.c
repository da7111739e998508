/* PRELU of a row, with the rounding of LiteRT's kernel, in integers. */
typedef struct {
    int32_t multiplier; /* in units of 2^-31 */
    int8_t shift;
} factor;

typedef struct {
    operands of;
    uint8_t first_zero, second_zero, zero;
    factor positive, negative; /* of the first operand, and of the product of both */
} prelu;

KERNEL void prelu_row(const prelu *layer, const uint8_t *a, const uint8_t *b, int y, uint8_t *output)
{
    const operands *const of = &layer->of;

    output += row_at(y, of->rows, of->columns * of->channels);
    for (int x = 0; x < of->columns; x++)
        for (int32_t c = 0; c < of->channels; c++) {
            const int32_t value = value_of(&of->first, a, y, x, c) - layer->first_zero;
            const int32_t slope = value < 0 ? value_of(&of->second, b, y, x, c) - layer->second_zero : 1;
            const factor *const by = value < 0 ? &layer->negative : &layer->positive;
            *output++ = limited(scaled(value * slope, by->multiplier, by->shift) + layer->zero, 0, 255);
        }
}
