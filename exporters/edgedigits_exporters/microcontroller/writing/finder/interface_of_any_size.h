/* Set the size in cells of 32 pixels, down and right; the memory that a run needs is FINDER_SCRATCH_BYTES. */
extern int32_t finder_down, finder_right;
#define FINDER_SCRATCH_BYTES (@PATCHES@ + @CELL_BYTES@ * finder_down * finder_right)

/* Find what stands on the picture at `scratch`, where it is overwritten. */
void finder_invoke(uint8_t *outputs, void *scratch);
