/* The page's interface: write a framed picture at digits_pixels(), call digits_run(), read LiteRT's output tensor at
   digits_outputs(). The page computes the confidence itself, so the linker removes that part of digits.c. */
#include "digits.c"

#define EXPORTED_AS(name) __attribute__((export_name(name)))

static uint8_t pixels[DIGITS_PIXELS];
static int8_t outputs[DIGITS_OUTPUTS];
static int32_t scratch[(DIGITS_SCRATCH_BYTES + 3) / 4];

EXPORTED_AS("digits_pixels") uint8_t *digits_pixels(void)
{
    return pixels;
}

EXPORTED_AS("digits_outputs") int8_t *digits_outputs(void)
{
    return outputs;
}

EXPORTED_AS("digits_run") void digits_run(void)
{
    const uint8_t *given = pixels;
    const uint8_t *const answer = run_on_pixels(pixel_row, &given, (uint8_t *)scratch);

    for (int c = 0; c < DIGITS_OUTPUTS; c++) outputs[c] = (int8_t)(answer[c] - 128);
}
