@COMMENT@
@DEFINITION@
static void row_of_layer_@NUMBER@(uint8_t *memory, int y)
{
@NUMBERS@
    const @STRUCTURE@ *const layer = &layer_@NUMBER@;
@UNUSED@    @CALL@
}
