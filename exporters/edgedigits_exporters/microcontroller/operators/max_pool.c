/* A row of MAX_POOL_2D. The maximum leaves out padding. */
typedef struct {
    input_window in;
    int16_t width, rows; /* of the output */
    uint8_t low, high;
} max_pool;

/* Keep the larger of two rows of values. */
KERNEL void keep_larger(uint8_t *largest, const uint8_t *values, int count)
{
    int i = 0;

#if DUAL_MULTIPLIES
    /* Four at a time: USUB8 sets flags where the first is not smaller, and SEL selects by them. */
    for (; i + 3 < count; i += 4) {
        const uint8x4_t one = (uint8x4_t)word_at(values + i), other = (uint8x4_t)word_at(largest + i);
        (void)__usub8(one, other);
        const uint32_t four = (uint32_t)__sel(one, other);
        memcpy(largest + i, &four, sizeof four);
    }
#endif
    for (; i < count; i++) largest[i] = values[i] > largest[i] ? values[i] : largest[i];
}

KERNEL void max_pool_row(const max_pool *layer, const uint8_t *input, int y, uint8_t *output)
{
    const input_window *const in = &layer->in;
    const int channels = in->channels;

    output += row_at(y, layer->rows, layer->width * channels);
    for (int x = 0; x < layer->width; x++, output += channels) {
        memset(output, layer->low, (size_t)channels);
        for (int i = 0; i < in->window_height; i++) {
            const int from = y * in->stride_down - in->above + i;
            if (from < 0 || from >= in->height) continue;
            for (int j = 0; j < in->window_width; j++) {
                const int column = x * in->stride_right - in->left + j;
                if (column < 0 || column >= in->width) continue;
                keep_larger(output, input_row(in, input, from) + times(column, channels), channels);
            }
        }
        if (layer->high < 255)
            for (int c = 0; c < channels; c++) output[c] = output[c] > layer->high ? layer->high : output[c];
    }
}
