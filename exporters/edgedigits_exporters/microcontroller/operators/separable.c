/* DEPTHWISE_CONV_2D followed by CONV_2D over its channels; only two pixels between them are in memory. */
typedef struct {
    depthwise first;
    convolution then; /* its input is a picture of these two pixels */
} separable;

/* The aligned offset after the two pixels. */
KERNEL ptrdiff_t patches_at(const separable *layer)
{
    return times((2 * layer->first.channels + 3) / 4, 4);
}

KERNEL void separable_columns(const separable *layer, const uint8_t *const *rows, int y, int x, int columns,
                              uint8_t *output, uint8_t *scratch)
{
    const int channels = layer->first.channels;

    for (int i = 0; i < columns; i++) depthwise_pixel(&layer->first, rows, y, x + i, scratch + times(i, channels));
    convolve_columns(&layer->then, scratch, 0, 0, columns, output + times(x, layer->then.channels),
                     (void *)(scratch + patches_at(layer)));
}

KERNEL void separable_row(const separable *layer, const uint8_t *input, int y, uint8_t *output, uint8_t *scratch)
{
    const uint8_t *rows[TALLEST_WINDOW];
    int x = 0;

    rows_under(&layer->first.in, input, y, rows);
    clear_patches(&layer->then.in, (void *)(scratch + patches_at(layer)));
    output += row_at(y, layer->then.rows, layer->then.width * layer->then.channels);
    for (; x + 2 <= layer->then.width; x += 2) separable_columns(layer, rows, y, x, 2, output, scratch);
    if (layer->then.width % 2) separable_columns(layer, rows, y, x, 1, output, scratch);
}
