static float confidence(const uint8_t *answer, int label)
{
    float sum = 0;

    for (int c = 0; c < @COUNT@; c++) sum += READ_FLOAT(weight_of_output + answer[c]);
    return READ_FLOAT(weight_of_output + answer[label]) / sum;
}
