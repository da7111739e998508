/* SOFTMAX in float32, as LiteRT computes it on x86-64; a table holds the powers of e by the distance from the largest
   value. */
typedef struct {
    int16_t channels;
    const float *powers;
} softmax;

KERNEL void softmax_row(const softmax *layer, const uint8_t *input, uint8_t *output)
{
    uint8_t largest = 0;
    float sum = 0;

    for (int c = 0; c < layer->channels; c++) largest = input[c] > largest ? input[c] : largest;
    for (int c = 0; c < layer->channels; c++) sum += READ_FLOAT(layer->powers + (largest - input[c]));
    sum = 1.0f / (sum * (1.0f / 256.0f));
    for (int c = 0; c < layer->channels; c++) {
        /* Truncate and compare the rest: adding a half could round up a value just below a tie. */
        const float steps = READ_FLOAT(layer->powers + (largest - input[c])) * sum;
        const int whole = (int)steps;
        output[c] = limited(whole + (steps - (float)whole >= 0.5f), 0, 255);
    }
}
