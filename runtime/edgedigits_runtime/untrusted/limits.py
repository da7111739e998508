"""Limits of untrusted models. A digit classifier has 4,000 to 2,000,000 weights; a ResNet-50 has 25,000,000."""

MODEL_BYTES = 256 << 20
"""Most bytes of a file, or of its unpacked content."""

TENSOR_BYTES = 256 << 20
"""Most bytes of a tensor."""

ACTIVATIONS_BYTES = 1 << 30
"""Most bytes of all activations of a graph."""

PARTS = 10_000
"""Most operators, tensors, buffers or layers of a graph."""

DIMENSIONS = 6
"""Most dimensions of a tensor: LiteRT's kernels support no more, and images have four."""

WINDOW = 65_535
"""Largest stride, dilation, window or padding."""
