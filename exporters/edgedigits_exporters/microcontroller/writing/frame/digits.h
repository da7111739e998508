@HEADING@
#ifndef DIGITS_H
#define DIGITS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DIGITS_MODEL @MODEL@
#define DIGITS_VERSION @VERSION@
#define DIGITS_KERNELS @KERNELS@ /* the kernels of LiteRT whose rounding this code has */

/* The picture: rows of pixels from the top, channels of a pixel together, 0 to 255@INK@. */
#define DIGITS_HEIGHT @HEIGHT@
#define DIGITS_WIDTH @WIDTH@
#define DIGITS_CHANNELS @CHANNELS@
#define DIGITS_PIXELS (DIGITS_HEIGHT * DIGITS_WIDTH * DIGITS_CHANNELS)
#define DIGITS_CLASSES @CLASSES@
#define DIGITS_OUTPUTS @OUTPUTS@ /* values that the network returns */

/* real = (stored - zero point) * scale */
#define DIGITS_INPUT_SCALE @INPUT_SCALE@
#define DIGITS_INPUT_ZERO_POINT (@INPUT_ZERO@)
#define DIGITS_OUTPUT_SCALE @OUTPUT_SCALE@
#define DIGITS_OUTPUT_ZERO_POINT (@OUTPUT_ZERO@)

@CONTRACT@

/* Working memory from the caller, aligned as an int32_t. Its content need not last between calls. */
#if defined(__ARM_FEATURE_SIMD32) || defined(__SSE2__) || defined(__ARM_NEON) || defined(__wasm_simd128__)
#define DIGITS_SCRATCH_BYTES @WIDE_SCRATCH@
#else
#define DIGITS_SCRATCH_BYTES @SCRATCH@
#endif

extern const char *const digits_labels[DIGITS_CLASSES];

typedef struct {
    int label;        /* index of digits_labels */
    float confidence; /* 0 to 1, calibrated; exact to about 0.0001@BLANK@ */
    bool accepted;    /* whether the confidence reaches the rejection threshold; if not, it may be a non-digit */
    int8_t output[DIGITS_OUTPUTS]; /* stored @KIND@ */
} digits_result;

/* Classify a framed picture. */
void digits_predict(const uint8_t pixels[DIGITS_PIXELS], digits_result *result, void *scratch);

/* Classify a picture that is not in memory as a whole: `read` is called @ROWS@ and writes the pixels of row y. */
typedef void digits_row_reader(void *context, int y, uint8_t *row);
void digits_predict_rows(digits_row_reader *read, void *context, digits_result *result, void *scratch);

/* Run the network alone, from [DIGITS_PIXELS] to [DIGITS_OUTPUTS] stored values. */
void digits_invoke(const int8_t *input, int8_t *output, void *scratch);

@READ@#ifdef __cplusplus
}
#endif

#endif
