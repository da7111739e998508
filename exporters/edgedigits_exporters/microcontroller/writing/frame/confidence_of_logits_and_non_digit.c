static float confidence(const uint8_t *answer, int label)
{
    const uint8_t largest = answer[label] > answer[DIGITS_CLASSES] ? answer[label] : answer[DIGITS_CLASSES];
    uint32_t sum = 0;

    for (int c = 0; c < DIGITS_OUTPUTS; c++) sum += READ_UINT16(weight_of_distance + (largest - answer[c]));
    return (float)READ_UINT16(weight_of_distance + (largest - answer[label])) / (float)sum;
}
