@HEADING@
#ifndef FINDER_H
#define FINDER_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FINDER_MODEL @MODEL@
#define FINDER_VERSION @VERSION@
#define FINDER_KERNELS @KERNELS@ /* the kernels of LiteRT whose rounding this code has */

/* The picture: rows of pixels from the top, red, green and blue of a pixel together, 0 to 255; grey is three equal
   values. A smaller picture lies in the middle of a border of its ground's colour. */
@SIZE@
#define FINDER_CHANNELS @CHANNELS@

/* An output has FINDER_HEIGHT / stride rows of FINDER_WIDTH / stride cells, each of so many channels. Two channels are
   the logits of a digit's and of a letter's centre; four are the way from the cell's centre to the box's, right and
   down, and the logarithms of its width and height, all in cells. real = (stored - zero) * scale */
typedef struct {
    uint8_t stride, channels, zero;
    float scale;
} finder_output;

#define FINDER_OUTPUTS @OUTPUTS@
#define FINDER_OUTPUT_BYTES (@OUTPUT_BYTES@)
extern const finder_output finder_outputs[FINDER_OUTPUTS];

/* Least score, 1 / (1 + e^-logit), of what counts as found. */
#define FINDER_THRESHOLD @THRESHOLD@

@INTERFACE@

#ifdef __cplusplus
}
#endif

#endif
