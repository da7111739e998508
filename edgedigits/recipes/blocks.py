"""Building blocks of the family's networks. Batch normalisation is folded away at the end of a training."""

from typing import Any


def convolution(filters: int, size: int = 3, *, strides: int = 1, padding: str = "same") -> list[Any]:
    """Return a convolution, batch normalisation and ReLU."""
    from keras import layers

    return _normalised(layers.Conv2D(filters, size, strides=strides, padding=padding, use_bias=False))


def depthwise(size: int = 3, *, strides: int = 1, padding: str = "same") -> list[Any]:
    """Return a depthwise convolution, batch normalisation and ReLU."""
    from keras import layers

    return _normalised(layers.DepthwiseConv2D(size, strides=strides, padding=padding, use_bias=False))


def separable(filters: int, size: int = 3, *, strides: int = 1) -> list[Any]:
    """Return a depthwise-separable convolution (Howard et al. 2017, "MobileNets")."""
    return [*depthwise(size, strides=strides), *convolution(filters, 1)]


def slim(filters: int, *, strides: int = 1, padding: str = "same") -> list[Any]:
    """Return a depthwise-separable convolution without normalisation and activation in between.

    This saves a bias per channel, and was more accurate in Chollet 2017, "Xception", section 4.7.
    """
    from keras import layers

    apart = layers.DepthwiseConv2D(3, strides=strides, padding=padding, use_bias=False)
    return [apart, *convolution(filters, 1)]


def head(classes: int) -> list[Any]:
    """Return global average pooling and a softmax layer."""
    from keras import layers

    return [layers.GlobalAveragePooling2D(), layers.Dense(classes, activation="softmax", name="probabilities")]


def _normalised(layer: Any) -> list[Any]:
    from keras import layers

    return [layer, layers.BatchNormalization(), layers.ReLU()]
