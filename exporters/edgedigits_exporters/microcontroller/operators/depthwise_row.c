/* A row of DEPTHWISE_CONV_2D. */
KERNEL void depthwise_row(const depthwise *layer, const uint8_t *input, int y, uint8_t *output)
{
    const uint8_t *rows[TALLEST_WINDOW];

    rows_under(&layer->in, input, y, rows);
    output += row_at(y, layer->rows, layer->width * layer->channels);
    for (int x = 0; x < layer->width; x++, output += layer->channels) depthwise_pixel(layer, rows, y, x, output);
}
