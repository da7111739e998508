"""How large a model may be. A digit classifier has 4,000 to 2,000,000 weights; a ResNet-50 has 25,000,000."""

MODEL_BYTES = 256 << 20
"""Of a file, or of everything in it once it is unpacked."""

TENSOR_BYTES = 256 << 20
"""Of one activation."""

ACTIVATIONS_BYTES = 1 << 30
"""Of all activations of a graph together."""

PARTS = 10_000
"""Operators, tensors, buffers or layers of a graph."""

DIMENSIONS = 6
"""Of a tensor: LiteRT's kernels count on no more, and images have four."""

WINDOW = 65_535
"""Largest stride, dilation, window or padding."""
