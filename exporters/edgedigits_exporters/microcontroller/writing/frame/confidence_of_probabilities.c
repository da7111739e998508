static float confidence(const uint8_t *answer, int label)
{
    uint32_t sum = 0;

    for (int c = 0; c < @COUNT@; c++) sum += READ_UINT16(weight_of_output + answer[c]);
    return (float)READ_UINT16(weight_of_output + answer[label]) / (float)sum;
}
