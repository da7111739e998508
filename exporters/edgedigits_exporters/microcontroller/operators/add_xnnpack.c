/* ADD or SUB of a row, in integers, with XNNPACK's scaling. */
typedef struct {
    operands of;
    uint32_t bias;
    int32_t first, second; /* factors of the operands */
    uint8_t shift;
    int32_t offset; /* added after the shift */
    uint8_t low, high;
} addition;

KERNEL void add_row(const addition *layer, const uint8_t *a, const uint8_t *b, int y, uint8_t *output)
{
    const operands *const of = &layer->of;

    output += row_at(y, of->rows, of->columns * of->channels);
    for (int x = 0; x < of->columns; x++)
        for (int32_t c = 0; c < of->channels; c++) {
            const int32_t sum = value_of(&of->first, a, y, x, c) * layer->first +
                                value_of(&of->second, b, y, x, c) * layer->second;
            *output++ = limited((int32_t)((layer->bias + (uint32_t)sum) >> layer->shift) + layer->offset, layer->low,
                                layer->high);
        }
}
