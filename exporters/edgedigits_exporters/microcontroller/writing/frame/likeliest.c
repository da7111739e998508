static int likeliest(const uint8_t *answer)
{
    int label = 0;

    for (int c = 1; c < DIGITS_CLASSES; c++)
        if (answer[c] > answer[label]) label = c;
    return label;
}
