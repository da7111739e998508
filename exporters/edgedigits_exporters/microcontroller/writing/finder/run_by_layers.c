static void copy_output(uint8_t *outputs, int output, const uint8_t *made)
{
    const int rows = FINDER_HEIGHT / finder_outputs[output].stride;
    memcpy(output_at(outputs, output), made, (size_t)times(rows, output_length(output)));
}

/* Compute layer by layer, each with all its rows. */
HOT void finder_invoke(uint8_t *outputs, void *scratch)
{
    uint8_t *const memory = scratch;

@LAYERS@
}

/* NOLINTEND(bugprone-easily-swappable-parameters) */
