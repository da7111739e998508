/* MEAN over height and width: add a row of the input to the sums; after the last row, scale them in integers as LiteRT's
   reference kernel does. */
typedef struct {
    int16_t height, width, channels, rows; /* of the input */
    int32_t zeros;                         /* part of each sum that the input's zero point adds */
    int32_t multiplier;                    /* in units of 2^-31 */
    int8_t shift;
    uint8_t zero;
} mean;

KERNEL void mean_row(const mean *layer, const uint8_t *input, int y, uint8_t *output, void *kept)
{
    int32_t *const sums = kept;

    input += row_at(y, layer->rows, layer->width * layer->channels);
    if (y == 0) memset(sums, 0, (size_t)layer->channels * sizeof *sums);
    for (int x = 0; x < layer->width; x++)
        for (int c = 0; c < layer->channels; c++) sums[c] += *input++;
    if (y + 1 < layer->height) return;
    for (int c = 0; c < layer->channels; c++)
        output[c] = limited(scaled(sums[c] - layer->zeros, layer->multiplier, layer->shift) + layer->zero, 0, 255);
}
