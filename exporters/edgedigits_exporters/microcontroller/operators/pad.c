/* A row of PAD: zero points around the input. */
typedef struct {
    int16_t height, rows;           /* of the input */
    int32_t length;                 /* of a row of it */
    int16_t above, made_rows;       /* rows of zeros above, and rows of the output in memory */
    int32_t left, right;            /* zeros beside a row */
    uint8_t zero;
} padding;

KERNEL void pad_row(const padding *layer, const uint8_t *input, int y, uint8_t *output)
{
    const int32_t length = layer->left + layer->length + layer->right;
    const int from = y - layer->above;

    output += row_at(y, layer->made_rows, length);
    memset(output, layer->zero, (size_t)length);
    if (from >= 0 && from < layer->height)
        memcpy(output + layer->left, input + row_at(from, layer->rows, layer->length), (size_t)layer->length);
}
