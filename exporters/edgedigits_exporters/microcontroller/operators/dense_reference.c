/* FULLY_CONNECTED with the rounding of LiteRT's reference kernel: in double, ties away from zero. */
#include <float.h>
#if DBL_MANT_DIG < 53
#error "double is too short here; export with --kernels xnnpack"
#endif

typedef struct {
    int32_t length; /* of the input */
    int16_t channels;
    int16_t weights_zero;
    const int8_t *weights; /* [channels][length] */
    const int32_t *bias;   /* of each channel, less the part of each sum that the zero points of input and weights add */
    const double *scale;   /* of each channel */
    uint8_t zero, low, high;
} dense;

static int32_t nearest_away_from_zero(double value)
{
    const int32_t whole = (int32_t)value;
    const double rest = value - whole;
    return whole + (rest >= 0.5) - (rest <= -0.5);
}

KERNEL void dense_row(const dense *layer, const uint8_t *input, uint8_t *output)
{
    const int8_t *weights = layer->weights;
    int32_t zeros = 0;

    if (layer->weights_zero != 0)
        for (int32_t k = 0; k < layer->length; k++) zeros += layer->weights_zero * input[k];
    for (int c = 0; c < layer->channels; c++) {
        int32_t sum = layer->bias[c] - zeros;
        for (int32_t k = 0; k < layer->length; k++) sum += input[k] * *weights++;
        sum = nearest_away_from_zero(sum * layer->scale[c]);
        output[c] = limited(sum + layer->zero, layer->low, layer->high);
    }
}
