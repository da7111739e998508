/* MUL of a row, with XNNPACK's rounding: the product in float32, then to the nearest. */
typedef struct {
    operands of;
    uint8_t first_zero, second_zero;
    float scale;
    uint8_t zero, low, high;
} product;

KERNEL void multiply_row(const product *layer, const uint8_t *a, const uint8_t *b, int y, uint8_t *output)
{
    const operands *const of = &layer->of;

    output += row_at(y, of->rows, of->columns * of->channels);
    for (int x = 0; x < of->columns; x++)
        for (int32_t c = 0; c < of->channels; c++) {
            const int32_t value = (int32_t)(value_of(&of->first, a, y, x, c) - layer->first_zero) *
                                  (value_of(&of->second, b, y, x, c) - layer->second_zero);
            *output++ = limited(nearest((float)value * layer->scale) + layer->zero, layer->low, layer->high);
        }
}
