/* Read a drawn frame of 96x96 and of 320x240 from beginning to end: the digit, instructions and bytes of stack. */
#include "counter.h"
#include "digits.h"
#include "print.h"

enum { PAINT = 0xA5, WIDEST = 320, HIGHEST = 240 };

static uint8_t grey[WIDEST * HIGHEST];
static int width, height;
static digits_reading reading;

/* A dark 7 with a slanted stem, on ground that gets brighter to the right. */
static void draw(void)
{
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            const int at = y * 28 / height, place = x * 28 / width, stem = 19 - (at - 6) / 2;
            const bool ink = at >= 5 && at < 23 && (at < 8 ? place >= 7 && place < 21 : place > stem - 3 && place <= stem);
            grey[y * width + x] = (uint8_t)(150 + x * 40 / width - (ink ? 90 : 0));
        }
    }
}

static void read_frame(void)
{
    digits_read(grey, width, height, width, &reading);
}

static uint32_t stack_of(void (*volatile what)(void))
{
    volatile uint8_t *top = stack_pointer(), *bottom = stack_bottom(), *byte;
    for (byte = bottom; byte < top; byte++)
        *byte = PAINT;
    what();
    for (byte = bottom; byte < top && *byte == PAINT; byte++)
        ;
    return (uint32_t)(top - byte);
}

static void measure(int columns, int rows)
{
    width = columns;
    height = rows;
    draw();
    PRINT("frame %dx%d stack %lu", width, height, (unsigned long)stack_of(read_frame));
    PRINT(" reads %s", reading.result.accepted ? digits_labels[reading.result.label] : "nothing");
#ifdef COUNTER_ENOUGH
    /* The counter has 24 bits of ticks of several instructions. */
    const uint32_t before = counter_read();
    read_frame();
    const uint32_t after = counter_read();
    PRINT(" instructions %lu", (unsigned long)counter_average(counter_between(before, after), 1));
#endif
    PRINT("%s", "\n");
}

int main(void)
{
#ifdef COUNTER_ENOUGH
    counter_start();
#endif
    measure(96, 96);
    measure(320, 240);
    return 0;
}
