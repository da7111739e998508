/* A pixel equals its stored value. */
static const uint8_t *run_on_pixels(digits_row_reader *read, void *context, uint8_t *memory)
{
    return run(read, context, memory);
}
