/* A row of CONCATENATION: a piece of each input in turn, once a row or once a pixel. Along the height, each row is that of
   one input. */
typedef struct {
    uint8_t count; /* of the inputs */
    int16_t pieces, rows;
    int32_t piece;                                       /* length of those of all inputs together */
    const int32_t *lengths, *tops, *heights, *input_rows; /* of each input: of a piece, where it begins, its rows */
} concatenation;

KERNEL void concatenate_row(const concatenation *layer, const uint8_t *const *inputs, int y, uint8_t *output)
{
    output += row_at(y, layer->rows, layer->pieces * layer->piece);
    for (int i = 0; i < layer->count; i++) {
        const int length = (int)READ_INT32(layer->lengths + i);
        const int from = y - (int)READ_INT32(layer->tops + i);
        if (from < 0 || from >= READ_INT32(layer->heights + i)) continue;
        const uint8_t *const input =
            inputs[i] + row_at(from, (int)READ_INT32(layer->input_rows + i), layer->pieces * length);
        for (int x = 0; x < layer->pieces; x++)
            memcpy(output + times(x, layer->piece), input + times(x, length), (size_t)length);
        output += length;
    }
}
