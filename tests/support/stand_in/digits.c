#include "digits.h"

#include <math.h>
#include <string.h>

#ifdef __AVR__
#include <avr/pgmspace.h>
#define CONSTANT PROGMEM
#define READ(address) ((int8_t)pgm_read_byte(address))
#else
#define CONSTANT
#define READ(address) (*(address))
#endif

static const int8_t weights[DIGITS_WIDTH] CONSTANT = {
    3, -7, 12, 5, -9, 1, 8, -4, 6, -11, 2, 9, -3, 7, -8, 4, 10, -6, 5, -2, 11, -5, 3, -10, 8, 1, -12, 6,
};

void digits_invoke(const int8_t *input, int8_t *output, void *scratch)
{
    (void)scratch;
    for (int label = 0; label < DIGITS_CLASSES; label++) {
        int32_t sum = 0;
        for (int i = 0; i < DIGITS_PIXELS; i++)
            sum += (int32_t)input[i] * READ(&weights[(i + label) % DIGITS_WIDTH]);
        long value = lrintf((float)sum * 0.0009765625F);
        output[label] = (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
    }
}

void digits_predict_rows(digits_row_reader *read, void *context, digits_result *result, void *scratch)
{
    uint8_t *picture = scratch;
    for (int y = 0; y < DIGITS_HEIGHT; y++)
        read(context, y, picture + y * DIGITS_WIDTH);
    for (int i = 0; i < DIGITS_PIXELS; i++)
        picture[i] ^= 128;
    digits_invoke((const int8_t *)picture, result->output, scratch);
    result->label = 0;
    for (int label = 1; label < DIGITS_CLASSES; label++)
        if (result->output[label] > result->output[result->label])
            result->label = label;
    result->confidence = (float)(result->output[result->label] + 128) / 256.0F;
    result->accepted = true;
}

static void pixel_row(void *context, int y, uint8_t *row)
{
    memcpy(row, *(const uint8_t *const *)context + y * DIGITS_WIDTH, DIGITS_WIDTH);
}

void digits_predict(const uint8_t pixels[DIGITS_PIXELS], digits_result *result, void *scratch)
{
    digits_predict_rows(pixel_row, &pixels, result, scratch);
}
