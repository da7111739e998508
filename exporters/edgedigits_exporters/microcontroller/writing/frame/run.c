/* The layer that computes its next row, step by step: a row is computed as late as possible, and is overwritten
   when it is no longer needed. */
@ORDER@

/* Run the network on the rows of `read`; the result is in the scratch memory. */
HOT static const uint8_t *run(digits_row_reader *read, void *context, uint8_t *memory)
{
    int16_t made[@STAGES@] = {0};

    for (unsigned i = 0; i < @STEPS@; i++) {
        const uint8_t layer = READ_UINT8(order + i);
        const int y = made[layer]++;
        switch (layer) {
        case 0: read(context, y, memory + ROWS_0 + row_at(y, @ROWS@, DIGITS_WIDTH * DIGITS_CHANNELS)); break;
@CASES@
        default: break;
        }
#ifdef DIGITS_AFTER_ROW
        DIGITS_AFTER_ROW(layer, y, memory);
#endif
    }
    return memory + ROWS_@LAYERS@;
}
