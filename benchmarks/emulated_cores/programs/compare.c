/* Run every image of images.bin and count the differences from the answers in it.
 *
 * The file: the number of images (uint32, little-endian), their int8 inputs, their int8 outputs. */
#include "digits.h"
#include "print.h"

#include <string.h>

static int32_t scratch[(DIGITS_SCRATCH_BYTES + 3) / 4];

#ifdef __AVR__

/* An AVR has no files and no memory for an input: images.bin is linked into the flash and read row by row. */
__asm__(".section .progmem.images,\"a\"\nimages: .incbin \"images.bin\"\n.text");
extern const uint8_t images[];

static bool read_bytes(uint32_t offset, void *to, size_t count)
{
    memcpy_P(to, images + offset, count);
    return true;
}

static void read_row(void *offset, int y, uint8_t *row)
{
    const int width = DIGITS_WIDTH * DIGITS_CHANNELS;
    read_bytes(*(const uint32_t *)offset + (uint32_t)(y * width), row, (size_t)width);
    for (int i = 0; i < width; i++)
        row[i] ^= 128; /* back from the int8 to the pixel */
}

static bool answer(uint32_t offset, int8_t *output)
{
    digits_result result;
    digits_predict_rows(read_row, &offset, &result, scratch);
    memcpy(output, result.output, DIGITS_OUTPUTS);
    return true;
}

#else

static bool read_bytes(uint32_t offset, void *to, size_t count)
{
    static FILE *file;
    if (!file)
        file = fopen("images.bin", "rb");
    return file && !fseek(file, (long)offset, SEEK_SET) && fread(to, 1, count, file) == count;
}

static bool answer(uint32_t offset, int8_t *output)
{
    static int8_t input[DIGITS_PIXELS];
    if (!read_bytes(offset, input, DIGITS_PIXELS))
        return false;
    digits_invoke(input, output, scratch);
    return true;
}

#endif

int main(void)
{
    int8_t output[DIGITS_OUTPUTS], expected[DIGITS_OUTPUTS];
    uint32_t count, different_values = 0, different_images = 0;
    bool complete = read_bytes(0, &count, sizeof count);
    for (uint32_t i = 0; complete && i < count; i++) {
        complete = answer(4 + i * DIGITS_PIXELS, output) &&
                   read_bytes(4 + count * DIGITS_PIXELS + i * DIGITS_OUTPUTS, expected, DIGITS_OUTPUTS);
        uint8_t different = 0;
        for (int label = 0; label < DIGITS_OUTPUTS; label++)
            different += output[label] != expected[label];
        different_values += different;
        different_images += different > 0;
    }
    if (!complete)
        return 1;
    PRINT("images %lu different_values %lu different_images %lu\n", (unsigned long)count, (unsigned long)different_values,
        (unsigned long)different_images);
    return 0;
}
