#include "digits.h"

#include <stdio.h>

static uint8_t pixels[DIGITS_PIXELS];
static int32_t scratch[(DIGITS_SCRATCH_BYTES + 3) / 4];

int main(void)
{
    digits_result result;
    for (int i = 0; i < DIGITS_PIXELS; i++)
        pixels[i] = (uint8_t)(i % DIGITS_WIDTH == 11 ? 255 : 0);
    digits_predict(pixels, &result, scratch);
    bool right = result.label == 9;
    printf("edgedigits selftest: %s, 1 pictures\n", right ? "pass" : "fail");
    return !right;
}
