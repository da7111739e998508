"""The layers of a network in training: batch normalisation as one operator, and numbers rounded as int8 rounds them.

The networks of the family round in training too (edgedigits/training/quantization.py), without batch normalisation and
with ranges that are measured once. Here weights are rounded for each channel, which folded normalisation does not
change; what a ReLU6 lets through has a range of 0 to 6; sums have that of their batch (Jacob and others 2018, arXiv
1712.05877).
"""

from functools import partial
from typing import Any

import keras
import tensorflow as tf


class TrainingLayers:
    """Stands for keras.layers in build_network.

    Attributes:
        rounding: whether numbers are rounded; read when a step is compiled.
    """

    def __init__(self) -> None:
        self.rounding = False
        self.BatchNormalization = FusedNormalization
        self.UpSampling2D = keras.layers.UpSampling2D
        self.Conv2D = partial(_Convolution, self)
        self.DepthwiseConv2D = partial(_DepthwiseConvolution, self)
        self.ReLU = partial(_ReLU6, self)
        self.Add = partial(_Sum, self)


class FusedNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]  # Keras publishes no types
    """Batch normalisation whose training step is one operator: Keras's many took two thirds of a training's time."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return normalised inputs, float32 [N, H, W, C]."""
        if not training:
            return super().call(inputs, training=False, mask=mask)
        normalised, mean, variance, *_ = tf.compat.v1.nn.fused_batch_norm(
            inputs, self.gamma, self.beta, epsilon=self.epsilon, is_training=True
        )
        for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(self.momentum * moving + (1 - self.momentum) * now)
        return normalised


class _Convolution(keras.layers.Conv2D):  # type: ignore[misc]
    def __init__(self, of: TrainingLayers, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.of = of

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        return super().convolution_op(inputs, _rounded_kernel(kernel) if self.of.rounding else kernel)


class _DepthwiseConvolution(keras.layers.DepthwiseConv2D):  # type: ignore[misc]
    def __init__(self, of: TrainingLayers, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.of = of

    def call(self, inputs: Any) -> Any:
        if not self.of.rounding:
            return super().call(inputs)
        kernel = tf.expand_dims(_rounded_kernel(tf.squeeze(tf.convert_to_tensor(self.kernel), -1)), -1)
        return keras.ops.depthwise_conv(inputs, kernel, strides=self.strides, padding=self.padding)


class _ReLU6(keras.layers.ReLU):  # type: ignore[misc]
    def __init__(self, of: TrainingLayers, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.of = of

    def call(self, inputs: Any) -> Any:
        return tf.quantization.fake_quant_with_min_max_args(inputs, 0, 6) if self.of.rounding else super().call(inputs)


class _Sum(keras.layers.Add):  # type: ignore[misc]
    def __init__(self, of: TrainingLayers, **settings: Any) -> None:
        super().__init__(**settings)
        self.of = of

    def call(self, inputs: Any) -> Any:
        if not self.of.rounding:
            return super().call(inputs)
        # What comes from the neck is not rounded yet.
        return _rounded(super().call([_rounded(values) for values in inputs]))


def _rounded(values: Any) -> Any:
    """Return values rounded to 256 levels of their range."""
    low, high = tf.minimum(tf.reduce_min(values), 0.0), tf.maximum(tf.reduce_max(values), 1e-3)
    return tf.quantization.fake_quant_with_min_max_vars(values, tf.stop_gradient(low), tf.stop_gradient(high))


def _rounded_kernel(kernel: Any) -> Any:
    """Return a kernel rounded to 255 levels for each channel, its last axis."""
    kernel = tf.convert_to_tensor(kernel)
    most = tf.stop_gradient(tf.maximum(tf.reduce_max(tf.abs(kernel), axis=list(range(kernel.shape.rank - 1))), 1e-6))
    return tf.quantization.fake_quant_with_min_max_vars_per_channel(kernel, -most, most, narrow_range=True)
