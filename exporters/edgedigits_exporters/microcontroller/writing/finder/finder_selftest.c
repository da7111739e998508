/* Run computed pictures through the finder, compare a hash of its outputs with LiteRT's, and print one line. */
#include "finder.h"

#include <stdio.h>
#include <stdlib.h>

#define PICTURES 3
static const uint32_t expected[PICTURES] = {@HASHES@};

static int picture;
static uint32_t hash[FINDER_OUTPUTS];

/* Noise in squares of 1, 8 and 32 pixels. */
static void computed_row(void *context, int y, uint8_t *row)
{
    static const int shifts[PICTURES] = {0, 3, 5};
    const int shift = shifts[picture];

    (void)context;
    for (int x = 0; x < FINDER_WIDTH; x++)
        for (int c = 0; c < FINDER_CHANNELS; c++) {
            const uint32_t place = (uint32_t)(y >> shift) * 73856093u ^ (uint32_t)(x >> shift) * 19349663u;
            const uint32_t mixed = (place ^ (uint32_t)(c + 1) * 83492791u) * 2654435761u;
            *row++ = (uint8_t)((mixed ^ mixed >> 15) * 2246822519u >> 24);
        }
}

/* FNV-1a, of each output by itself: their rows come in turn. */
static void hashed_row(void *context, int output, int y, const uint8_t *row)
{
    const int length = FINDER_WIDTH / finder_outputs[output].stride * finder_outputs[output].channels;

    (void)context, (void)y;
    for (int i = 0; i < length; i++) hash[output] = (hash[output] ^ row[i]) * 16777619u;
}

int main(void)
{
    void *const scratch = malloc(FINDER_SCRATCH_BYTES);
    int wrong = scratch == NULL;

    for (picture = 0; scratch && picture < PICTURES; picture++) {
        uint32_t all = 0;
        for (int i = 0; i < FINDER_OUTPUTS; i++) hash[i] = 2166136261u;
        finder_run(computed_row, NULL, hashed_row, NULL, scratch);
        for (int i = 0; i < FINDER_OUTPUTS; i++) all = all * 31 + hash[i];
        if (all != expected[picture]) {
            printf("picture %d: %08lx\n", picture, (unsigned long)all);
            wrong++;
        }
    }
    free(scratch);
    printf("edgedigits finder selftest: %s\n", wrong ? "FAIL, outputs differ from LiteRT" : "pass");
    return wrong != 0;
}
