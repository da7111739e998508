/* The page's interface to the finder: finder_pixels() sets the size of a picture in cells of 32 pixels, and returns where
   to write it; finder_run() returns all outputs, one after the other, stored plus 128. */
#include "finder.c"

#define EXPORTED_AS(name) __attribute__((export_name(name)))
#define PAGE 65536

/* Where free memory begins; the linker defines it. */
extern uint8_t __heap_base;

static uint8_t *outputs(void)
{
    return (uint8_t *)(((uintptr_t)&__heap_base + 15) & ~(uintptr_t)15);
}

static uint8_t *scratch(void)
{
    return outputs() + ((FINDER_OUTPUT_BYTES + 15) & ~15);
}

EXPORTED_AS("finder_pixels") uint8_t *finder_pixels(int32_t down, int32_t right)
{
    finder_down = down;
    finder_right = right;
    const size_t end = (uintptr_t)scratch() + (size_t)FINDER_SCRATCH_BYTES;
    const size_t pages = (end + PAGE - 1) / PAGE, has = __builtin_wasm_memory_size(0);
    if (pages > has && __builtin_wasm_memory_grow(0, pages - has) == (size_t)-1) return NULL;
    return scratch() + ROWS_0;
}

EXPORTED_AS("finder_run") const uint8_t *finder_run(void)
{
    finder_invoke(outputs(), scratch());
    return outputs();
}
