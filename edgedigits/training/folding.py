"""Fold batch normalisation into the convolution before it: the same function with fewer parameters."""

from typing import Any

import numpy as np


def fold_batch_normalisation(network: Any) -> Any:
    """Return a Sequential network without batch normalisation that computes what `network` does at inference.

    The result computes in float32, which exports and int8 rounding start from. A normalisation stays unless it follows
    a convolution without an activation. A network that is not Sequential is returned unchanged.
    """
    import keras
    from keras import layers

    if not isinstance(network, keras.Sequential):
        return network
    kept: list[Any] = []
    weights: list[list[Any]] = []
    for layer in network.layers:
        before = kept[-1] if kept and _is_linear_convolution(kept[-1]) else None
        if before is not None and isinstance(layer, layers.BatchNormalization):
            weights[-1] = _folded(before, weights[-1], layer)
            kept[-1] = _like(before, use_bias=True)
        elif before is not None and _is_plain_relu(layer):
            kept[-1] = _like(before, activation="relu")
        else:
            kept.append(_like(layer))
            weights.append(layer.get_weights())
    folded = keras.Sequential([keras.Input(network.input_shape[1:], name="image"), *kept], name=network.name)
    for layer, values in zip(folded.layers, weights, strict=True):
        layer.set_weights(values)
    return folded


def _is_linear_convolution(layer: Any) -> bool:
    from keras import activations, layers

    return isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D) and layer.activation is activations.linear


def _is_plain_relu(layer: Any) -> bool:
    from keras import layers

    return isinstance(layer, layers.ReLU) and (layer.max_value, layer.negative_slope, layer.threshold) == (None, 0, 0)


def _like(layer: Any, **changes: Any) -> Any:
    """Return an untrained float32 copy of a layer with some settings changed."""
    return type(layer).from_config({**layer.get_config(), **changes, "dtype": "float32"})


def _folded(convolution: Any, weights: list[Any], normalisation: Any) -> list[Any]:
    """Return kernel and bias that include the normalisation's scale and shift."""
    # A depthwise kernel has its output channel in the last but one axis.
    depthwise = type(convolution).__name__ == "DepthwiseConv2D"
    kernel = weights[0]
    bias = weights[1] if convolution.use_bias else 0.0
    names = (variable.name for variable in normalisation.weights)
    state = dict(zip(names, normalisation.get_weights(), strict=True))
    scale = state.get("gamma", 1.0) / np.sqrt(state["moving_variance"] + normalisation.epsilon)
    shift = state.get("beta", 0.0) - state["moving_mean"] * scale
    return [kernel * (scale[:, None] if depthwise else scale), bias * scale + shift]
