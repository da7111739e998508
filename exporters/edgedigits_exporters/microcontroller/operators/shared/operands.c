/* Two operands of a row. A constant is in flash, another operand in the caller's memory. Steps of 0 repeat a value. */
typedef struct {
    const uint8_t *constant; /* NULL where there is none */
    int16_t rows;            /* in memory */
    int32_t row, column;     /* values from one to the next */
    uint8_t channel;
} operand;

typedef struct {
    operand first, second;
    int16_t columns, rows; /* of the output */
    int32_t channels;
} operands;

KERNEL uint8_t value_of(const operand *from, const uint8_t *memory, int y, int x, int32_t c)
{
    const ptrdiff_t at = row_at(y, from->rows, from->row) + times(x, from->column) + c * from->channel;
    return from->constant ? READ_UINT8(from->constant + at) : memory[at];
}
