/* Pictures drawn by edgedigits, and LiteRT's answers (@KERNELS@). */
#ifndef DIGITS_GOLDEN_H
#define DIGITS_GOLDEN_H

#include "digits.h"

#include <string.h>
#if defined(__AVR__)
#include <avr/pgmspace.h>
#define GOLDEN_FLASH PROGMEM
#define golden_copy memcpy_P
#else
#define GOLDEN_FLASH
#define golden_copy memcpy
#endif

enum { GOLDEN_PICTURES = @COUNT@, GOLDEN_FRAMES = @FRAME_COUNT@, GOLDEN_ROW = DIGITS_WIDTH * DIGITS_CHANNELS };

static const uint8_t golden_pictures[GOLDEN_PICTURES * DIGITS_PIXELS] GOLDEN_FLASH = {
@PICTURES@};

static const int8_t golden_outputs[GOLDEN_PICTURES * DIGITS_OUTPUTS] GOLDEN_FLASH = {
@OUTPUTS@};

@FRAMES@static void golden_row(void *context, int y, uint8_t *row)
{
    golden_copy(row, *(const uint8_t *const *)context + y * GOLDEN_ROW, GOLDEN_ROW);
}

/* Count the pictures whose answers differ. */
static int golden_wrong(void *scratch)
{
    int wrong = 0;

    for (int i = 0; i < GOLDEN_PICTURES; i++) {
        const uint8_t *picture = golden_pictures + (uint32_t)i * DIGITS_PIXELS;
        digits_result result;
        int8_t expected[DIGITS_OUTPUTS];

        digits_predict_rows(golden_row, &picture, &result, scratch);
        golden_copy(expected, golden_outputs + i * DIGITS_OUTPUTS, DIGITS_OUTPUTS);
        wrong += memcmp(result.output, expected, DIGITS_OUTPUTS) != 0;
    }
@REPLAY@    return wrong;
}

#endif
