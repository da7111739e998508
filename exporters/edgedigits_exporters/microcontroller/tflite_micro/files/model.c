@HEADING@
#include "@PREFIX@_model.h"

/* The interpreter reads numbers in place, so they have to be aligned. */
const unsigned char @PREFIX@_model[] __attribute__((aligned(16))) = {
@BYTES@
};

const int @PREFIX@_model_len = @LENGTH@;
