/* How a layer's window moves over its input, whose values are stored plus 128; the last `rows` rows are in memory. */
typedef struct {
    int16_t height, width, channels, rows;
    uint8_t window_height, window_width, stride_down, stride_right, above, left;
    uint8_t zero; /* what padding holds */
    bool is_one_piece; /* whether what lies under any window is one piece of memory, without padding */
} input_window;

/* The row of a picture in memory. */
KERNEL const uint8_t *input_row(const input_window *in, const uint8_t *input, int y)
{
    return input + row_at(y, in->rows, in->width * in->channels);
}
