/* Differences between compilers and processors. */

#if defined(__AVR__)
/* Constants stay in flash, which an AVR reads with special instructions. */
#include <avr/pgmspace.h>
#define FLASH PROGMEM
#define USE(type, name) type name##_copy; const type *const layer = memcpy_P(&name##_copy, &name, sizeof(type))
#define READ_INT8(at) ((int8_t)pgm_read_byte(at))
#define READ_UINT8(at) ((uint8_t)pgm_read_byte(at))
#define READ_UINT16(at) ((uint16_t)pgm_read_word(at))
#define READ_INT32(at) ((int32_t)pgm_read_dword(at))
#define READ_FLOAT(at) pgm_read_float(at)
#else
#define FLASH
#define USE(type, name) const type *const layer = &name
#define READ_INT8(at) (*(at))
#define READ_UINT8(at) (*(at))
#define READ_UINT16(at) (*(at))
#define READ_INT32(at) (*(at))
#define READ_FLOAT(at) (*(at))
#endif

/* Multiply without overflow of int; find the offset of row y where the last `rows` rows are in memory. */
static inline ptrdiff_t times(int count, int size)
{
    return (ptrdiff_t)count * size;
}

static inline ptrdiff_t row_at(int y, int rows, int size)
{
    return times(y % rows, size);
}

/* For speed, each layer has a copy of its kernel, compiled for its constants; for size, layers share one. */
#if defined(__GNUC__) && defined(__OPTIMIZE__) && !defined(__OPTIMIZE_SIZE__)
#define KERNEL static inline __attribute__((always_inline))
/* Unrolling would keep short loops from becoming vectors, and make long ones larger for little speed. */
#define DO_NOT_UNROLL _Pragma("GCC unroll 1")
#else
#define KERNEL static
#define DO_NOT_UNROLL
#endif

/* Functions that run once in an inference are compiled for size, and do not affect the others. */
#if defined(__GNUC__) && !defined(__clang__)
#define SMALL __attribute__((noinline, cold))
#define HOT __attribute__((noinline, hot))
#else
#define SMALL
#define HOT
#endif

/* BLOCK: channels computed at once. LANES: products that a sum is rounded up to; bytes after the weights are multiplied
   by zeros. Wide where there are vectors, elsewhere as many as registers hold. */
#define DUAL_MULTIPLIES 0
#if defined(__SSE2__) || defined(__ARM_NEON)
#define BLOCK 32
#define LANES 32
#elif defined(__wasm_simd128__)
#define BLOCK 4
#define LANES 8
#elif defined(__ARM_FEATURE_MVE)
#define BLOCK 2
#define LANES 8
#elif defined(__ARM_FEATURE_SIMD32)
#undef DUAL_MULTIPLIES
#define DUAL_MULTIPLIES 1
#define BLOCK 2
#define LANES 4
#elif defined(__OPTIMIZE_SIZE__)
#define BLOCK 1
#define LANES 1
#else
#define BLOCK 2
#define LANES 1
#endif
#define SPARE (LANES - 1)
