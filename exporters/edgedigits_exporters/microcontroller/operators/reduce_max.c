/* REDUCE_MAX over height and width: compare a row of the input with the largest values so far, which are the output. */
typedef struct {
    int16_t width, channels, rows; /* of the input */
} reduce_max;

KERNEL void reduce_max_row(const reduce_max *layer, const uint8_t *input, int y, uint8_t *output)
{
    input += row_at(y, layer->rows, layer->width * layer->channels);
    if (y == 0) memset(output, 0, (size_t)layer->channels);
    for (int x = 0; x < layer->width; x++, input += layer->channels)
        for (int c = 0; c < layer->channels; c++) output[c] = input[c] > output[c] ? input[c] : output[c];
}
