@COMMENT@
@DEFINITION@

static void row_of_layer_@NUMBER@(uint8_t *memory, int y)
{
    USE(@STRUCTURE@, layer_@NUMBER@);
@UNUSED@    @CALL@
}
