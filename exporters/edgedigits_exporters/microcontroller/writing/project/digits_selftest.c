/* Run the golden pictures through the network, compare every value with LiteRT's, and print one line. */
#include "golden.h"

#include <stdio.h>

#if defined(__AVR__)
#define PRINT(text, ...) printf_P(PSTR(text), __VA_ARGS__)
#else
#define PRINT(text, ...) printf(text, __VA_ARGS__)
#endif

static int32_t scratch[(DIGITS_SCRATCH_BYTES + 3) / 4];

int main(void)
{
    const int wrong = golden_wrong(scratch);

    if (wrong)
        PRINT("edgedigits selftest: FAIL, %d of %d pictures differ from LiteRT\n", wrong, GOLDEN_PICTURES + GOLDEN_FRAMES);
    else
        PRINT("edgedigits selftest: pass, %d pictures\n", GOLDEN_PICTURES + GOLDEN_FRAMES);
    return wrong != 0;
}
