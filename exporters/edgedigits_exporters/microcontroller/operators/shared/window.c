/* The window of a layer and its input; values are stored plus 128, and the last `rows` rows are in memory. */
typedef struct {
    int16_t height, width, channels, rows;
    uint8_t window_height, window_width, stride_down, stride_right, above, left;
    uint8_t zero; /* value of padding */
    bool is_one_piece; /* whether each window is contiguous in memory, without padding */
} input_window;

/* Find row y of a picture in memory. */
KERNEL const uint8_t *input_row(const input_window *in, const uint8_t *input, int y)
{
    return input + row_at(y, in->rows, in->width * in->channels);
}
