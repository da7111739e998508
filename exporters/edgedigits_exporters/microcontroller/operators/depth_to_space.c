/* A row of DEPTH_TO_SPACE: each pixel becomes block x block pixels, of parts of its channels in turn. Without a step from
   part to part, each of them is the whole pixel: nearest upsampling. */
typedef struct {
    int16_t width, channels, rows; /* of the output */
    int16_t block, pixel, part;    /* channels of a pixel of the input, and from one part of it to the next */
    int32_t input_length;          /* of a row of the input */
    int16_t input_rows;            /* in memory */
} depth_to_space;

KERNEL void depth_to_space_row(const depth_to_space *layer, const uint8_t *input, int y, uint8_t *output)
{
    input += row_at(y / layer->block, layer->input_rows, layer->input_length);
    input += times(y % layer->block * layer->block, layer->part);
    output += row_at(y, layer->rows, layer->width * layer->channels);
    for (int x = 0; x < layer->width; x++)
        memcpy(output + times(x, layer->channels),
               input + times(x / layer->block, layer->pixel) + times(x % layer->block, layer->part),
               (size_t)layer->channels);
}
