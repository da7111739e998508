/* Frames of a camera, the FNV-1a hashes of their framed digits, and LiteRT's answers; 0 where nothing is found. */
enum { GOLDEN_FRAME_HEIGHT = @HEIGHT@, GOLDEN_FRAME_WIDTH = @WIDTH@ };

static const uint8_t golden_frames[GOLDEN_FRAMES * GOLDEN_FRAME_HEIGHT * GOLDEN_FRAME_WIDTH] = {
@PIXELS@};

static const uint32_t golden_hashes[GOLDEN_FRAMES] = {
@HASHES@};

static const int8_t golden_readings[GOLDEN_FRAMES * DIGITS_OUTPUTS] = {
@READINGS@};

/* Count the frames that are framed or read differently. */
static int golden_frames_wrong(void)
{
    int wrong = 0;

    for (int i = 0; i < GOLDEN_FRAMES; i++) {
        static digits_reading reading;
        uint32_t hash = 2166136261u;

        digits_read(golden_frames + (uint32_t)i * GOLDEN_FRAME_HEIGHT * GOLDEN_FRAME_WIDTH, GOLDEN_FRAME_WIDTH,
                    GOLDEN_FRAME_HEIGHT, GOLDEN_FRAME_WIDTH, &reading);
        for (int k = 0; k < DIGITS_PIXELS; k++) hash = (hash ^ reading.framed[k]) * 16777619u;
        wrong += (reading.found ? hash : 0) != golden_hashes[i]
                 || memcmp(reading.result.output, golden_readings + i * DIGITS_OUTPUTS, DIGITS_OUTPUTS) != 0;
    }
    return wrong;
}

