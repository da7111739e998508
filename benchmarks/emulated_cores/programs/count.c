/* Count the instructions (on an AVR the cycles) and the bytes of stack of one inference. */
#include "counter.h"
#include "digits.h"
#include "print.h"

enum { REPETITIONS = 40, PAINT = 0xA5, ROW = DIGITS_WIDTH * DIGITS_CHANNELS };

static digits_result result;
static int32_t scratch[(DIGITS_SCRATCH_BYTES + 3) / 4];

/* A 7 with a slanted stem, in a picture of any size. */
static void draw_row(void *context, int y, uint8_t *row)
{
    int at = y * 28 / DIGITS_HEIGHT, stem = 19 - (at - 6) / 2;
    (void)context;
    for (int i = 0; i < ROW; i++) {
        int x = i / DIGITS_CHANNELS * 28 / DIGITS_WIDTH;
        bool ink = at >= 5 && at < 23 && (at < 8 ? x >= 7 && x < 21 : x > stem - 2 && x <= stem);
        row[i] = ink ? 255 : 0;
    }
}

#ifdef __AVR__

/* A picture does not fit beside the scratch memory, so it is drawn row by row. */
static void draw(void)
{
    for (int y = 0; y < DIGITS_HEIGHT; y++)
        draw_row(0, y, (uint8_t *)scratch);
}

static void predict(void)
{
    digits_predict_rows(draw_row, 0, &result, scratch);
}

#else

static uint8_t pixels[DIGITS_PIXELS];

static void draw(void)
{
    for (int y = 0; y < DIGITS_HEIGHT; y++)
        draw_row(0, y, pixels + y * ROW);
}

static void predict(void)
{
    digits_predict(pixels, &result, scratch);
}

#endif

static uint32_t stack_of(void (*volatile what)(void))
{
    volatile uint8_t *top = stack_pointer(), *bottom = stack_bottom(), *byte;
    for (byte = bottom; byte < top; byte++)
        *byte = PAINT;
    what();
    for (byte = bottom; byte < top && *byte == PAINT; byte++)
        ;
    return byte == bottom ? UINT32_MAX : (uint32_t)(top - byte);
}

#ifdef COUNTER_ENOUGH

static void nothing(void) {}

/* A tick of the counter is many instructions; the sum over repetitions is finer. */
static uint32_t average(void (*volatile what)(void))
{
    uint64_t ticks = 0;
    uint16_t repetitions = 0;
    uint32_t before = counter_read();
    do {
        what();
        uint32_t now = counter_read();
        ticks += counter_between(before, now);
        before = now;
    } while (++repetitions < REPETITIONS && ticks < COUNTER_ENOUGH);
    return counter_average(ticks, repetitions);
}

static void count_predict(uint32_t call)
{
    PRINT("predict %lu\n", (unsigned long)(average(predict) - call));
}

#ifdef __AVR__

static void count(void)
{
    counter_start();
    PRINT("loop %lu\n", (unsigned long)(average(counter_loop) - average(nothing)));
    count_predict(average(draw));
}

#else

static void invoke(void)
{
    digits_invoke((const int8_t *)pixels, result.output, scratch);
}

static void count(void)
{
    counter_start();
    uint32_t call = average(nothing);
    PRINT("loop %lu\n", (unsigned long)(average(counter_loop) - call));
    count_predict(call);
    for (int i = 0; i < DIGITS_PIXELS; i++)
        pixels[i] ^= 128; /* the pixel - 128, as an int8 */
    PRINT("invoke %lu\n", (unsigned long)(average(invoke) - call));
}

#endif

#endif

int main(void)
{
    draw();
    PRINT("stack %lu\n", (unsigned long)stack_of(predict));
    PRINT("scratch %lu\n", (unsigned long)DIGITS_SCRATCH_BYTES);
#ifdef COUNTER_ENOUGH
    count();
#endif
    return 0;
}
