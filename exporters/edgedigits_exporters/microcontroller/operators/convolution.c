/* CONV_2D and FULLY_CONNECTED compute two columns and a block of channels at a time. */
typedef struct {
    input_window in;
    int16_t width, channels, rows; /* of the output */
    const int8_t *weights;         /* [channels][window height][window width][input channels] */
    requantization to;
} convolution;

KERNEL void convolve_block(const convolution *layer, const patch_value *patches, int step, int columns, int c, int rows,
                           int length, uint8_t *output)
{
    int32_t sums[2 * BLOCK];

    products(patches, step, columns, layer->weights + times(c, length), rows, length, sums);
    for (int x = 0; x < columns; x++)
        for (int r = 0; r < rows; r++)
            output[x * layer->channels + c + r] = requantize(&layer->to, c + r, sums[x * BLOCK + r]);
}

/* Compute one or two columns of the output from column x. */
KERNEL void convolve_columns(const convolution *layer, const uint8_t *input, int y, int x, int columns, uint8_t *output,
                             patch_value *patches)
{
    const input_window *const in = &layer->in;
    const int length = in->window_height * in->window_width * in->channels;
    const int columns_apart = in->stride_right * in->channels;
    const uint8_t *const row = input_row(in, input, y * in->stride_down) + times(x, columns_apart);
    const patch_value *source = patches;
    int step, c = 0;

#if DUAL_MULTIPLIES
    step = (length + 3) / 4 * 2;
    for (int i = 0; i < columns; i++) {
        uint8_t *const bytes = (uint8_t *)(patches + times(2, step));
        if (!in->is_one_piece) gather(in, input, y, x + i, bytes);
        take_patch(in->is_one_piece ? row + times(i, columns_apart) : bytes, length, columns, patches + 2 * i);
    }
#else
    if (in->is_one_piece && length % LANES == 0) {
        source = row;
        step = columns_apart;
    } else {
        step = (length + LANES - 1) / LANES * LANES;
        for (int i = 0; i < columns; i++) gather(in, input, y, x + i, patches + times(i, step));
    }
#endif
    output += times(x, layer->channels);
    for (; c + BLOCK <= layer->channels; c += BLOCK)
        convolve_block(layer, source, step, columns, c, BLOCK, length, output);
    if (layer->channels % BLOCK)
        convolve_block(layer, source, step, columns, c, layer->channels % BLOCK, length, output);
}

/* Bytes that round up a patch are multiplied by bytes after the weights, so they have to be zero. */
KERNEL void clear_patches(const input_window *in, patch_value *patches)
{
#if LANES > 1 && !DUAL_MULTIPLIES
    const int length = in->window_height * in->window_width * in->channels;
    memset(patches, 0, 2 * (size_t)((length + LANES - 1) / LANES * LANES));
#else
    (void)in;
    (void)patches;
#endif
}
