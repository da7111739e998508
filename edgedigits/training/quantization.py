"""Quantization-aware training: simulate int8 arithmetic in float while training.

TensorFlow's model-optimization package does not accept Keras 3 models. This follows the TFLite converter: weights
symmetric per output channel, activations affine per tensor with ranges measured on the calibration
images (Jacob et al. 2018, "Quantization and training of neural networks for efficient integer-
arithmetic-only inference"; the parameters are those of https://ai.google.dev/edge/litert/models/quantization_spec).
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from edgedigits_runtime.errors import EdgedigitsError

LINEAR = (layers.Conv2D, layers.DepthwiseConv2D, layers.Dense)
AVERAGES = (layers.GlobalAveragePooling2D, layers.AveragePooling2D)
# Their output is quantized because their input is.
SELECTING = (layers.MaxPooling2D, layers.Flatten, layers.ReLU, layers.Dropout)

LEVELS = 255
LARGEST_WEIGHT = 127


class Quantized(keras.Model):  # type: ignore[misc]  # Keras publishes no types
    """`network` with weights and activations rounded as in int8; training changes the network's own weights."""

    def __init__(self, network: Any) -> None:
        """Wrap a Sequential network without batch normalisation; call `measure` before training.

        Raises:
            EdgedigitsError: a layer is not supported.
        """
        # Never bfloat16, which has fewer levels than int8.
        super().__init__(dtype="float32")
        for layer in network.layers:
            if not isinstance(layer, LINEAR + AVERAGES + SELECTING):
                raise EdgedigitsError(
                    f"quantization-aware training does not support the layer {layer.name} ({type(layer).__name__});"
                    f" supported: {', '.join(kind.__name__ for kind in LINEAR + AVERAGES + SELECTING)}"
                )
        self.network = network
        self.ranges = self.add_weight(shape=(len(network.layers), 2), initializer="zeros", trainable=False)

    def measure(self, images: NDArray[np.float32]) -> None:
        """Measure the range of every activation on normalised calibration images, float32 [N, H, W, C].

        As in the converter, a range is from the lowest to the highest value of the float network, and includes 0.
        """
        found = []
        x = ops.convert_to_tensor(images)
        for layer in self.network.layers:
            before, x = _apply(layer, x, layer.kernel) if isinstance(layer, LINEAR) else (layer(x),) * 2
            found.append((min(float(ops.min(before)), 0.0), max(float(ops.max(before)), 0.0)))
        self.ranges.assign(np.array(found, np.float32))

    def build(self, _: Any) -> None:
        """Do nothing: the network is already built."""

    def call(self, images: Any, training: bool = False) -> Any:
        x = _rounded(images, 0.0, 1.0)
        for index, layer in enumerate(self.network.layers):
            low, high = self.ranges[index, 0], self.ranges[index, 1]
            if isinstance(layer, LINEAR):
                before, _ = _apply(layer, x, _rounded_kernel(layer))
                x = _rounded(before, low, high)
                if _is_softmax(layer):
                    # Logits are quantized; the probabilities are not.
                    x = layer.activation(x)
            elif isinstance(layer, AVERAGES):
                x = _rounded(layer(x), low, high)
            else:
                x = layer(x, training=training) if isinstance(layer, layers.Dropout) else layer(x)
        return x


def _is_softmax(layer: Any) -> bool:
    return bool(layer.activation is keras.activations.softmax)


def _apply(layer: Any, x: Any, kernel: Any) -> tuple[Any, Any]:
    """Run a layer with another kernel; return the tensor to quantize and the output."""
    if isinstance(layer, layers.DepthwiseConv2D):
        x = ops.depthwise_conv(x, kernel, layer.strides, layer.padding)
    elif isinstance(layer, layers.Conv2D):
        x = ops.conv(x, kernel, layer.strides, layer.padding)
    else:
        x = ops.matmul(x, kernel)
    if layer.use_bias:
        x = x + layer.bias
    activated = layer.activation(x)
    return (x if _is_softmax(layer) else activated), activated


def _rounded_kernel(layer: Any) -> Any:
    """Round the kernel to steps of 1/127 of the largest weight of each output channel."""
    kernel = layer.kernel
    # A depthwise kernel has its channels in the last but one axis.
    axes = (0, 1, 3) if isinstance(layer, layers.DepthwiseConv2D) else tuple(range(len(kernel.shape) - 1))
    step = ops.stop_gradient(ops.maximum(ops.max(ops.abs(kernel), axes, keepdims=True), 1e-12) / LARGEST_WEIGHT)
    return _straight_through(kernel, ops.round(kernel / step) * step)


def _rounded(x: Any, low: Any, high: Any) -> Any:
    """Round x to 256 levels from low to high, shifted so that 0 is a level; clip values outside."""
    step = ops.maximum(high - low, 1e-12) / LEVELS
    zero = ops.round(-low / step)
    clipped = ops.clip(x, -zero * step, (LEVELS - zero) * step)
    return _straight_through(clipped, ops.round(clipped / step) * step)


def _straight_through(value: Any, rounded: Any) -> Any:
    """Return `rounded`, with the gradient of `value` (Bengio, Leonard and Courville 2013)."""
    return value + ops.stop_gradient(rounded - value)
