const finder_output finder_outputs[FINDER_OUTPUTS] = {
@FACTS@
};

/* Values of a row of an output, and where it begins among all outputs. */
static int output_length(int output)
{
    return FINDER_WIDTH / finder_outputs[output].stride * finder_outputs[output].channels;
}

static uint8_t *output_at(uint8_t *outputs, int output)
{
    for (int i = 0; i < output; i++) outputs += times(FINDER_HEIGHT / finder_outputs[i].stride, output_length(i));
    return outputs;
}
