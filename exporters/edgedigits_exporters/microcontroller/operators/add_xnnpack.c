/* ADD of a row, in integers, with XNNPACK's scaling. */
typedef struct {
    int32_t length;                         /* of a row */
    int16_t first_rows, second_rows, rows;  /* in memory, of the inputs and the output */
    uint32_t bias, first, second;           /* an offset, and the factors of the inputs */
    uint8_t shift;
    int32_t offset; /* added after the shift */
    uint8_t low, high;
} addition;

KERNEL void add_row(const addition *layer, const uint8_t *a, const uint8_t *b, int y, uint8_t *output)
{
    a += row_at(y, layer->first_rows, layer->length);
    b += row_at(y, layer->second_rows, layer->length);
    output += row_at(y, layer->rows, layer->length);
    for (int32_t i = 0; i < layer->length; i++) {
        const uint32_t sum = layer->bias + a[i] * layer->first + b[i] * layer->second;
        output[i] = limited((int32_t)(sum >> layer->shift) + layer->offset, layer->low, layer->high);
    }
}
