static float confidence(const uint8_t *answer, int label)
{
    uint32_t sum = 0;

    for (int c = 0; c < DIGITS_CLASSES; c++) sum += READ_UINT16(weight_of_distance + (answer[label] - answer[c]));
    return (float)READ_UINT16(weight_of_distance) / (float)sum;
}
