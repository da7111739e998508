/* The smallest program that classifies a picture, linked without startup code: its sizes are those of the classifier,
 * the library routines that it calls (software floating point, square root) and a picture. It does not run. */
#include "digits.h"

digits_result result;
int32_t scratch[(DIGITS_SCRATCH_BYTES + 3) / 4];

int main(void);

#ifdef __AVR__

/* A picture does not fit beside the scratch memory, so it is read row by row. */
static void read_row(void *context, int y, uint8_t *row)
{
    (void)context, (void)y, (void)row;
}

int main(void)
{
    digits_predict_rows(read_row, 0, &result, scratch);
    return result.label;
}

#else

uint8_t pixels[DIGITS_PIXELS];

int main(void)
{
    digits_predict(pixels, &result, scratch);
    return result.label;
}

#endif
