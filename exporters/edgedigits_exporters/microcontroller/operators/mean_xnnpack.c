/* MEAN over height and width: add a row of the input to the sums; after the last row, round as XNNPACK does. */
typedef struct {
    int16_t height, width, channels, rows; /* of the input */
    float scale, offset;
} mean;

KERNEL void mean_row(const mean *layer, const uint8_t *input, int y, uint8_t *output, void *kept)
{
    int32_t *const sums = kept;

    input += row_at(y, layer->rows, layer->width * layer->channels);
    if (y == 0) memset(sums, 0, (size_t)layer->channels * sizeof *sums);
    for (int x = 0; x < layer->width; x++)
        for (int c = 0; c < layer->channels; c++) sums[c] += *input++ - 128;
    if (y + 1 < layer->height) return;
    for (int c = 0; c < layer->channels; c++) {
        const float value = (float)sums[c] * layer->scale;
        output[c] = limited(nearest(value + layer->offset) + 128, 0, 255);
    }
}
