/* Convert the pixels of the caller's row reader to stored values of the first layer. */
typedef struct {
    digits_row_reader *read;
    void *context;
} pixel_source;

static void prepared_row(void *context, int y, uint8_t *row)
{
    const pixel_source *const pixels = context;

    pixels->read(pixels->context, y, row);
    for (int i = 0; i < DIGITS_WIDTH * DIGITS_CHANNELS; i++) row[i] = READ_UINT8(stored_pixels + @AT@);
}

static const uint8_t *run_on_pixels(digits_row_reader *read, void *context, uint8_t *memory)
{
    pixel_source pixels = {read, context};
    return run(prepared_row, &pixels, memory);
}
