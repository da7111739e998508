"""What a Keras network costs: multiply-accumulates of one image."""

import math
from typing import Any


def multiply_accumulates(model: Any) -> int:
    """Return the multiply-accumulates that one image takes, counted as the field does: every tap of a kernel at
    every place of its output, those over padding too, and no biases, activations or poolings.

    Args:
        model: a built Keras network of known image size.
    """
    return sum(_of_layer(layer) for layer in model.layers)


def _of_layer(layer: Any) -> int:
    kind = type(layer).__name__
    if kind == "Dense":
        return int(math.prod(layer.kernel.shape))
    if kind in ("Conv2D", "DepthwiseConv2D"):
        _, height, width, _ = layer.output.shape
        return int(height * width * math.prod(layer.kernel.shape))
    return 0
