/* Convert the pixels of the caller's row reader to stored values of the first layer: divide each column by its length; a
   column without ink stays zero. The picture is read twice. */
#include <math.h>

typedef struct {
    digits_row_reader *read;
    void *context;
    float length[DIGITS_WIDTH * DIGITS_CHANNELS];
} pixel_source;

static void measure_columns(pixel_source *pixels)
{
    uint8_t row[DIGITS_WIDTH * DIGITS_CHANNELS];

    memset(pixels->length, 0, sizeof pixels->length);
    for (int y = 0; y < DIGITS_HEIGHT; y++) {
        pixels->read(pixels->context, y, row);
        for (int i = 0; i < DIGITS_WIDTH * DIGITS_CHANNELS; i++) {
            const long ink = @INK@;
            pixels->length[i] += (float)(ink * ink);
        }
    }
    for (int i = 0; i < DIGITS_WIDTH * DIGITS_CHANNELS; i++)
        pixels->length[i] = pixels->length[i] > 0 ? sqrtf(pixels->length[i]) : 1;
}

static void prepared_row(void *context, int y, uint8_t *row)
{
    const pixel_source *const pixels = context;

    pixels->read(pixels->context, y, row);
    for (int i = 0; i < DIGITS_WIDTH * DIGITS_CHANNELS; i++) {
        const float value = (float)(@INK@) / pixels->length[i];
        row[i] = limited(nearest(value / @SCALE@) + @ZERO@, 0, 255);
    }
}

static const uint8_t *run_on_pixels(digits_row_reader *read, void *context, uint8_t *memory)
{
    pixel_source pixels;

    pixels.read = read;
    pixels.context = context;
    measure_columns(&pixels);
    return run(prepared_row, &pixels, memory);
}
