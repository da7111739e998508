/* The layer that computes its next row, step by step: a row is computed as late as possible, and is overwritten
   when it is no longer needed. */
@ORDER@

HOT void finder_run(finder_row_reader *read, void *from, finder_row_writer *write, void *to, void *scratch)
{
    uint8_t *const memory = scratch;
    int16_t made[@STAGES@] = {0};

    for (unsigned i = 0; i < @STEPS@; i++) {
        const uint8_t layer = READ_UINT8(order + i);
        const int y = made[layer]++;
        switch (layer) {
        case 0: read(from, y, memory + ROWS_0 + row_at(y, @ROWS@, FINDER_WIDTH * FINDER_CHANNELS)); break;
@CASES@
        default: break;
        }
    }
}

typedef struct {
    const uint8_t *pixels;
    uint8_t *outputs;
} whole;

static void pixel_row(void *context, int y, uint8_t *row)
{
    const int length = FINDER_WIDTH * FINDER_CHANNELS;
    memcpy(row, ((const whole *)context)->pixels + times(y, length), (size_t)length);
}

static void output_row(void *context, int output, int y, const uint8_t *row)
{
    const whole *const all = context;
    memcpy(output_at(all->outputs, output) + times(y, output_length(output)), row, (size_t)output_length(output));
}

SMALL void finder_invoke(const uint8_t *pixels, uint8_t outputs[FINDER_OUTPUT_BYTES], void *scratch)
{
    whole all = {pixels, outputs};
    finder_run(pixel_row, &all, output_row, &all, scratch);
}

/* NOLINTEND(bugprone-easily-swappable-parameters) */
