/* A row of AVERAGE_POOL_2D. The average leaves out padding; ties round away from zero. */
typedef struct {
    input_window in;
    int16_t width, rows; /* of the output */
    uint8_t low, high;
} average_pool;

KERNEL uint8_t average(const average_pool *layer, const uint8_t *input, int top, int bottom, int left, int right, int c)
{
    const input_window *const in = &layer->in;
    const int32_t count = (int32_t)(bottom - top) * (right - left);
    int32_t sum = -128 * count;

    for (int y = top; y < bottom; y++) {
        const uint8_t *const values = input_row(in, input, y) + c;
        for (int x = left; x < right; x++) sum += values[x * in->channels];
    }
    sum += sum > 0 ? count / 2 : -(count / 2);
    return limited(sum / count + 128, layer->low, layer->high);
}

KERNEL void average_pool_row(const average_pool *layer, const uint8_t *input, int y, uint8_t *output)
{
    const input_window *const in = &layer->in;
    const int above = y * in->stride_down - in->above;
    const int below = above + in->window_height;
    const int top = above < 0 ? 0 : above, bottom = below > in->height ? in->height : below;

    output += row_at(y, layer->rows, layer->width * in->channels);
    for (int x = 0; x < layer->width; x++) {
        const int from = x * in->stride_right - in->left;
        const int until = from + in->window_width;
        const int left = from < 0 ? 0 : from, right = until > in->width ? in->width : until;
        for (int c = 0; c < in->channels; c++) *output++ = average(layer, input, top, bottom, left, right, c);
    }
}
