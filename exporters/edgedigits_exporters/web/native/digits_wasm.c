/* What a page calls: write a framed picture at digits_pixels(), call digits_run(), read what LiteRT stores in its
   output tensor at digits_outputs(). The page calibrates the confidence by itself, and the linker leaves out what of
   digits.c would do that. */
#include "digits.c"

#define CALLED_AS(name) __attribute__((export_name(name)))

static uint8_t pixels[DIGITS_PIXELS];
static int8_t outputs[DIGITS_CLASSES];
static int32_t scratch[(DIGITS_SCRATCH_BYTES + 3) / 4];

CALLED_AS("digits_pixels") uint8_t *digits_pixels(void)
{
    return pixels;
}

CALLED_AS("digits_outputs") int8_t *digits_outputs(void)
{
    return outputs;
}

CALLED_AS("digits_run") void digits_run(void)
{
    const uint8_t *given = pixels;
    const uint8_t *const answer = run_on_pixels(pixel_row, &given, (uint8_t *)scratch);

    for (int c = 0; c < DIGITS_CLASSES; c++) outputs[c] = (int8_t)(answer[c] - 128);
}
