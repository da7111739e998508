/* Copy the values under the window of output (y, x) to `patch`, row by row, with padding. */
KERNEL void gather(const input_window *in, const uint8_t *input, int y, int x, uint8_t *patch)
{
    const int channels = in->channels;
    const size_t length = (size_t)in->window_width * (size_t)channels;
    const int left = x * in->stride_right - in->left;
    const int skipped = left < 0 ? -left : 0;
    const int beyond = left + in->window_width - in->width;
    const int copied = in->window_width - skipped - (beyond > 0 ? beyond : 0);

    for (int i = 0; i < in->window_height; i++) {
        const int from = y * in->stride_down - in->above + i;
        if (from < 0 || from >= in->height) {
            memset(patch, in->zero, length);
        } else if (copied == in->window_width) {
            memcpy(patch, input_row(in, input, from) + times(left, channels), length);
        } else {
            memset(patch, in->zero, length);
            memcpy(patch + times(skipped, channels), input_row(in, input, from) + times(left + skipped, channels),
                   (size_t)copied * (size_t)channels);
        }
        patch += length;
    }
}
