/* Pictures without contrast, or of noise alone, are refused whatever the network answers: neighbouring pixels of noise
   differ as much as any two. */
typedef struct {
    digits_row_reader *read;
    void *context;
    uint64_t sum, squares, rough;
    uint8_t darkest, brightest;
    uint8_t above[DIGITS_WIDTH * DIGITS_CHANNELS];
} watched_picture;

static uint32_t squared_difference(uint8_t one, uint8_t other)
{
    const int32_t difference = (int32_t)one - other;
    return (uint32_t)(difference * difference);
}

SMALL static void watched_row(void *context, int y, uint8_t *row)
{
    watched_picture *const seen = context;
    uint32_t sum = 0, squares = 0, rough = 0;

    seen->read(seen->context, y, row);
    if (y == 0) { /* The picture may be read twice. */
        seen->sum = seen->squares = seen->rough = 0;
        seen->darkest = seen->brightest = row[0];
    }
    for (int i = 0; i < DIGITS_WIDTH * DIGITS_CHANNELS; i++) {
        sum += row[i];
        squares += squared_difference(row[i], 0);
        if (i >= DIGITS_CHANNELS) rough += squared_difference(row[i], row[i - DIGITS_CHANNELS]);
        if (y > 0) rough += squared_difference(row[i], seen->above[i]);
        if (row[i] < seen->darkest) seen->darkest = row[i];
        if (row[i] > seen->brightest) seen->brightest = row[i];
    }
    seen->sum += sum;
    seen->squares += squares;
    seen->rough += rough;
    memcpy(seen->above, row, sizeof seen->above);
}

SMALL static bool is_blank(const watched_picture *seen)
{
    const uint64_t spread = seen->squares - seen->sum * seen->sum / DIGITS_PIXELS;
    const uint64_t pairs = (uint64_t)DIGITS_CHANNELS * ((uint64_t)DIGITS_HEIGHT * (DIGITS_WIDTH - 1)
                                                        + (uint64_t)(DIGITS_HEIGHT - 1) * DIGITS_WIDTH);

    return seen->brightest - seen->darkest < @CONTRAST@ || @OF@ * seen->rough * DIGITS_PIXELS >= @SHARE@ * 2 * pairs * spread;
}
