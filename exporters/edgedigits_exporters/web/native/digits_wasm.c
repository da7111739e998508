/* The page's interface: write a framed picture at digits_pixels(), call digits_run(), read LiteRT's output tensor at
   digits_outputs(). The page computes the confidence itself, so the linker removes that part of digits.c.
   digits_look() is digits_run() that keeps all rows of all layers, one layer after the other, stored plus 128; it returns
   where, or NULL without memory for them. */
#include <stdint.h>

static void keep_row(unsigned layer, int y, const uint8_t *memory);
#define DIGITS_AFTER_ROW(layer, y, memory) keep_row(layer, y, memory)
#include "digits.c"
#include "layers.h"

#define EXPORTED_AS(name) __attribute__((export_name(name)))
#define PAGE 65536

/* Where free memory begins; the linker defines it. */
extern uint8_t __heap_base;
static uint8_t *kept;

static uint8_t pixels[DIGITS_PIXELS];
static int8_t outputs[DIGITS_OUTPUTS];
static int32_t scratch[(DIGITS_SCRATCH_BYTES + 3) / 4];

static void keep_row(unsigned layer, int y, const uint8_t *memory)
{
    if (!kept || layer == 0) return;
    const kept_layer *const at = kept_layers + layer - 1;
    /* A sum makes its only row in many steps. */
    const int row = y < at->height ? y : at->height - 1;
    memcpy(kept + at->offset + row * at->row_bytes, memory + at->place + row % at->rows * at->row_bytes, (size_t)at->row_bytes);
}

EXPORTED_AS("digits_pixels") uint8_t *digits_pixels(void)
{
    return pixels;
}

EXPORTED_AS("digits_outputs") int8_t *digits_outputs(void)
{
    return outputs;
}

EXPORTED_AS("digits_run") void digits_run(void)
{
    const uint8_t *given = pixels;
    const uint8_t *const answer = run_on_pixels(pixel_row, &given, (uint8_t *)scratch);

    for (int c = 0; c < DIGITS_OUTPUTS; c++) outputs[c] = (int8_t)(answer[c] - 128);
}

EXPORTED_AS("digits_look") const uint8_t *digits_look(void)
{
    const size_t end = (uintptr_t)&__heap_base + KEPT_BYTES;
    const size_t pages = (end + PAGE - 1) / PAGE, has = __builtin_wasm_memory_size(0);
    if (pages > has && __builtin_wasm_memory_grow(0, pages - has) == (size_t)-1) return NULL;
    kept = &__heap_base;
    digits_run();
    kept = NULL;
    return &__heap_base;
}
