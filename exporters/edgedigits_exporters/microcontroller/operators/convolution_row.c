/* A row of CONV_2D or FULLY_CONNECTED. */
KERNEL void convolve_row(const convolution *layer, const uint8_t *input, int y, uint8_t *output, void *scratch)
{
    int x = 0;

    output += row_at(y, layer->rows, layer->width * layer->channels);
    clear_patches(&layer->in, scratch);
    for (; x + 2 <= layer->width; x += 2) convolve_columns(layer, input, y, x, 2, output, scratch);
    if (layer->width % 2) convolve_columns(layer, input, y, x, 1, output, scratch);
}
