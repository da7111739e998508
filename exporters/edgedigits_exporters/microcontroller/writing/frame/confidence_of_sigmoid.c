static int likeliest(const uint8_t *answer)
{
    return answer[0] > @HALF@;
}

static float confidence(const uint8_t *answer, int label)
{
    (void)label;
    return (float)READ_UINT16(confidence_of_output + answer[0]) / 65535.0f;
}
