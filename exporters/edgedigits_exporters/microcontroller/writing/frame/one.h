typedef struct {
    bool found;                  /* whether there is a mark that may be a digit; if not, all is zero */
    int16_t x, y, width, height; /* of its ink, in pixels of the frame */
    uint8_t framed[DIGITS_PIXELS];
    digits_result result;
} digits_reading;

/* Find the one digit in view, frame it and classify it; return whether it is accepted. `grey` has `height` rows of
   `width` pixels, `stride` bytes apart; ink may be dark or bright. Memory is its own, so calls must not overlap. */
bool digits_read(const uint8_t *grey, int width, int height, int stride, digits_reading *reading);

