/* A row of an operator on single values, from a table of results. */
typedef struct {
    int32_t length;           /* of a row */
    int16_t input_rows, rows; /* in memory */
    const uint8_t *table;
} lookup;

KERNEL void lookup_row(const lookup *layer, const uint8_t *input, int y, uint8_t *output)
{
    input += row_at(y, layer->input_rows, layer->length);
    output += row_at(y, layer->rows, layer->length);
    for (int32_t i = 0; i < layer->length; i++) output[i] = READ_UINT8(layer->table + input[i]);
}
