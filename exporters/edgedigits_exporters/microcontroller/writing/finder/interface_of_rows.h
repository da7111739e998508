/* Working memory from the caller, aligned as an int32_t. Its content need not last between calls. */
#if defined(__ARM_FEATURE_SIMD32) || defined(__SSE2__) || defined(__ARM_NEON) || defined(__wasm_simd128__)
#define FINDER_SCRATCH_BYTES @WIDE_SCRATCH@
#else
#define FINDER_SCRATCH_BYTES @SCRATCH@
#endif

/* Find what stands on a picture: `read` is called for rows 0, 1, ... and writes the pixels of row y; `write` takes row y
   of an output, rows of different outputs in turn, and its memory is overwritten afterwards. */
typedef void finder_row_reader(void *context, int y, uint8_t *row);
typedef void finder_row_writer(void *context, int output, int y, const uint8_t *row);
void finder_run(finder_row_reader *read, void *from, finder_row_writer *write, void *to, void *scratch);

/* The same from a whole picture to all outputs, one after the other. */
void finder_invoke(const uint8_t *pixels, uint8_t outputs[FINDER_OUTPUT_BYTES], void *scratch);
