/* Read stored frames; a camera's frame buffer takes their place. */
#include "golden.h"

#include <stdio.h>

static digits_reading reading;

int main(void)
{
    for (int i = 0; i < GOLDEN_FRAMES; i++) {
        const uint8_t *const grey = golden_frames + (uint32_t)i * GOLDEN_FRAME_HEIGHT * GOLDEN_FRAME_WIDTH;
        const bool accepted = digits_read(grey, GOLDEN_FRAME_WIDTH, GOLDEN_FRAME_HEIGHT, GOLDEN_FRAME_WIDTH, &reading);
        printf("frame %d reads %s\n", i, accepted ? digits_labels[reading.result.label] : "nothing");
    }
    return golden_frames_wrong();
}
