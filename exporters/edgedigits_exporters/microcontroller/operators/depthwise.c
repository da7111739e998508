/* DEPTHWISE_CONV_2D. Taps on padding are left out, so that nothing is copied. */
typedef struct {
    input_window in;
    int16_t width, channels, rows, multiplier; /* of the output; output channel c reads c / multiplier */
    const int8_t *weights;                     /* [window height][window width][channels] */
    requantization to;
} depthwise;

/* The taps of a window that are on the picture: rows i, columns j. */
typedef struct {
    int first_i, end_i, first_j, end_j;
} taps;

KERNEL void depthwise_block(const depthwise *layer, const uint8_t *const *rows, int left, taps on, int c, int channels,
                            uint8_t *output)
{
    const input_window *const in = &layer->in;
    int32_t sums[BLOCK] = {0};

    for (int i = on.first_i; i < on.end_i; i++) {
        for (int j = on.first_j; j < on.end_j; j++) {
            const uint8_t *const values = rows[i] + times(left + j, in->channels);
            const int8_t *const weights = layer->weights + times(i * in->window_width + j, layer->channels) + c;
            for (int k = 0; k < channels; k++)
                sums[k] += (values[(c + k) / layer->multiplier] - in->zero) * READ_INT8(weights + k);
        }
    }
    for (int k = 0; k < channels; k++) output[c + k] = requantize(&layer->to, c + k, sums[k]);
}

#if DUAL_MULTIPLIES
/* Four channels at a time: each word of values and of weights is split once, and half-words are multiplied. */
KERNEL void depthwise_four(const depthwise *layer, const uint8_t *const *rows, int left, taps on, int c, uint8_t *output)
{
    const input_window *const in = &layer->in;
    const uint32_t zeros = in->zero * 0x00010001u;
    int32_t s = 0, t = 0, u = 0, v = 0;

    for (int i = on.first_i; i < on.end_i; i++) {
        const uint8_t *values = rows[i] + times(left + on.first_j, in->channels) + c;
        const int8_t *weights = layer->weights + times(i * in->window_width + on.first_j, layer->channels) + c;
        for (int j = on.first_j; j < on.end_j; j++, values += in->channels, weights += layer->channels) {
            const uint32_t four = word_at(values), taken = word_at(weights);
            const int16x2_t even = (int16x2_t)((uint32_t)__uxtb16((uint8x4_t)four)), odd = (int16x2_t)odd_values(four);
            const int16x2_t x = in->zero ? __ssub16(even, (int16x2_t)zeros) : even;
            const int16x2_t y = in->zero ? __ssub16(odd, (int16x2_t)zeros) : odd;
            const int16x2_t m = __sxtb16((int8x4_t)taken), n = odd_weights(taken);
            s = __smlabb(x, m, s);
            t = __smlabb(y, n, t);
            u = __smlatt(x, m, u);
            v = __smlatt(y, n, v);
        }
    }
    output[c] = requantize(&layer->to, c, s);
    output[c + 1] = requantize(&layer->to, c + 1, t);
    output[c + 2] = requantize(&layer->to, c + 2, u);
    output[c + 3] = requantize(&layer->to, c + 3, v);
}
#endif

KERNEL void depthwise_taps(const depthwise *layer, const uint8_t *const *rows, int left, taps on, uint8_t *output)
{
    int c = 0;

#if DUAL_MULTIPLIES
    if (layer->multiplier == 1)
        for (; c + 4 <= layer->channels; c += 4) depthwise_four(layer, rows, left, on, c, output);
#endif
    for (; c + BLOCK <= layer->channels; c += BLOCK) depthwise_block(layer, rows, left, on, c, BLOCK, output);
    if (layer->channels % BLOCK)
        depthwise_block(layer, rows, left, on, c, layer->channels % BLOCK, output);
}

/* Compute a pixel of the output; rows[i] is the row under row i of the window. */
KERNEL void depthwise_pixel(const depthwise *layer, const uint8_t *const *rows, int y, int x, uint8_t *output)
{
    const input_window *const in = &layer->in;
    const int top = y * in->stride_down - in->above, left = x * in->stride_right - in->left;
    const taps all = {0, in->window_height, 0, in->window_width};
    const taps some = {top < 0 ? -top : 0, top + in->window_height > in->height ? in->height - top : in->window_height,
                       left < 0 ? -left : 0, left + in->window_width > in->width ? in->width - left : in->window_width};

    if (top >= 0 && left >= 0 && top + in->window_height <= in->height && left + in->window_width <= in->width)
        depthwise_taps(layer, rows, left, all, output);
    else
        depthwise_taps(layer, rows, left, some, output);
}

/* Find the rows under a window. */
KERNEL void rows_under(const input_window *in, const uint8_t *input, int y, const uint8_t **rows)
{
    for (int i = 0; i < in->window_height; i++) {
        const int from = y * in->stride_down - in->above + i;
        rows[i] = from < 0 || from >= in->height ? input : input_row(in, input, from);
    }
}
