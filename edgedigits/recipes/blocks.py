"""What the networks of the family are built of; batch normalisation is folded away when a training ends."""

from typing import Any


def convolution(filters: int, size: int = 3, *, strides: int = 1, padding: str = "same") -> list[Any]:
    """Return a convolution, batch normalisation and ReLU."""
    from keras import layers

    return [
        layers.Conv2D(filters, size, strides=strides, padding=padding, use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
    ]


def separable(filters: int, size: int = 3, *, strides: int = 1, padding: str = "same") -> list[Any]:
    """Return a convolution of each channel, and one across channels (Howard et al. 2017, "MobileNets")."""
    return [*depthwise(size, strides=strides, padding=padding), *convolution(filters, 1)]


def slim(filters: int, size: int = 3, *, strides: int = 1, padding: str = "same") -> list[Any]:
    """Return the same with neither normalisation nor activation in between, which saves the bias of each channel.

    Nothing in between was also the more accurate in Chollet 2017, "Xception", section 4.7.
    """
    from keras import layers

    apart = layers.DepthwiseConv2D(size, strides=strides, padding=padding, use_bias=False)
    return [apart, *convolution(filters, 1)]


def depthwise(size: int = 3, *, strides: int = 1, padding: str = "same") -> list[Any]:
    """Return a convolution of each channel, batch normalisation and ReLU."""
    from keras import layers

    return [
        layers.DepthwiseConv2D(size, strides=strides, padding=padding, use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
    ]


def head(classes: int) -> list[Any]:
    """Return the mean over the places, and the probabilities."""
    from keras import layers

    return [layers.GlobalAveragePooling2D(), layers.Dense(classes, activation="softmax", name="probabilities")]
