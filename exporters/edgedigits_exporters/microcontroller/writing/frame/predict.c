SMALL static void stored_row(void *context, int y, uint8_t *row)
{
    const int8_t *const stored = *(const int8_t *const *)context + times(y, DIGITS_WIDTH * DIGITS_CHANNELS);
    for (int i = 0; i < DIGITS_WIDTH * DIGITS_CHANNELS; i++) row[i] = (uint8_t)(stored[i] + 128);
}

SMALL void digits_invoke(const int8_t *input, int8_t *output, void *scratch)
{
    const uint8_t *const answer = run(stored_row, &input, scratch);
    for (int c = 0; c < DIGITS_OUTPUTS; c++) output[c] = (int8_t)(answer[c] - 128);
}

SMALL void digits_predict_rows(digits_row_reader *read, void *context, digits_result *result, void *scratch)
{
@WATCH@    const uint8_t *const answer = run_on_pixels(@READER@, scratch);

    for (int c = 0; c < DIGITS_OUTPUTS; c++) result->output[c] = (int8_t)(answer[c] - 128);
    result->label = likeliest(answer);
    result->confidence = confidence(answer, result->label);
    result->accepted = result->confidence >= rejection_threshold;
@REFUSE@}

SMALL static void pixel_row(void *context, int y, uint8_t *row)
{
    const uint8_t *const pixels = *(const uint8_t *const *)context;
    memcpy(row, pixels + times(y, DIGITS_WIDTH * DIGITS_CHANNELS),
           (size_t)DIGITS_WIDTH * DIGITS_CHANNELS);
}

SMALL void digits_predict(const uint8_t pixels[DIGITS_PIXELS], digits_result *result, void *scratch)
{
    digits_predict_rows(pixel_row, &pixels, result, scratch);
}
