/* A stand-in for an exported folder: one dense layer whose weights depend on the column only. */
#ifndef DIGITS_H
#define DIGITS_H

#include <stdbool.h>
#include <stdint.h>

#define DIGITS_HEIGHT 28
#define DIGITS_WIDTH 28
#define DIGITS_CHANNELS 1
#define DIGITS_PIXELS 784
#define DIGITS_CLASSES 10
#define DIGITS_OUTPUTS DIGITS_CLASSES
#define DIGITS_SCRATCH_BYTES 784

typedef struct {
    int label;
    float confidence;
    bool accepted;
    int8_t output[DIGITS_CLASSES];
} digits_result;

void digits_predict(const uint8_t pixels[DIGITS_PIXELS], digits_result *result, void *scratch);
typedef void digits_row_reader(void *context, int y, uint8_t *row);
void digits_predict_rows(digits_row_reader *read, void *context, digits_result *result, void *scratch);
void digits_invoke(const int8_t *input, int8_t *output, void *scratch);

#endif
