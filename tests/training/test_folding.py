"""Folding batch normalisation changes the parameters and not the function."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgedigits.recipes import get_recipe

pytestmark = pytest.mark.slow

FAMILY = {"pico": 1_000, "nano": 8_000, "base": 50_000, "max": 400_000}


def unsettled(network: Any, seed: int) -> Any:
    """Give every normalisation a scale, a shift and statistics of its own, as training does."""
    rng = np.random.default_rng(seed)
    for layer in network.layers:
        if type(layer).__name__ == "BatchNormalization":
            layer.set_weights([rng.uniform(0.4, 1.6, weight.shape) for weight in layer.get_weights()])
    return network


@pytest.mark.parametrize("name", FAMILY)
def test_the_family_computes_the_same_with_fewer_parameters(name: str) -> None:
    from edgedigits.training.folding import fold_batch_normalisation

    network = unsettled(get_recipe(name).build((28, 28, 1), 10), seed=1)
    folded = fold_batch_normalisation(network)
    images = np.random.default_rng(0).random((8, 28, 28, 1), np.float32)
    np.testing.assert_allclose(folded.predict(images, verbose=0), network.predict(images, verbose=0), atol=1e-5)
    assert folded.count_params() <= FAMILY[name] < network.count_params() + 400_000
    assert not [layer for layer in folded.layers if type(layer).__name__ in ("BatchNormalization", "ReLU")]


@settings(max_examples=10)
@given(seed=st.integers(0, 99), bias=st.booleans(), depthwise=st.booleans(), relu=st.booleans(), affine=st.booleans())
def test_any_convolution_followed_by_a_normalisation_is_folded(
    seed: int, bias: bool, depthwise: bool, relu: bool, affine: bool
) -> None:
    import keras
    from keras import layers

    from edgedigits.training.folding import fold_batch_normalisation

    convolution = (
        layers.DepthwiseConv2D(3, depth_multiplier=1, use_bias=bias)
        if depthwise
        else layers.Conv2D(3, 3, use_bias=bias)
    )
    normalisation = layers.BatchNormalization(center=affine, scale=affine)
    parts = [convolution, normalisation, *([layers.ReLU()] if relu else [])]
    network = unsettled(keras.Sequential([keras.Input((6, 7, 2)), *parts]), seed)
    images = np.random.default_rng(seed).normal(size=(3, 6, 7, 2)).astype(np.float32)
    folded = fold_batch_normalisation(network)
    np.testing.assert_allclose(folded.predict(images, verbose=0), network.predict(images, verbose=0), atol=1e-4)
    assert len(folded.layers) == 1


@pytest.mark.parametrize(
    "kinds",
    ["convolution relu normalisation", "activated normalisation", "convolution bounded", "convolution leaky"],
)
def test_a_normalisation_after_another_layer_stays(kinds: str) -> None:
    import keras
    from keras import layers

    from edgedigits.training.folding import fold_batch_normalisation

    made = {
        "convolution": lambda: layers.Conv2D(3, 3),
        "activated": lambda: layers.Conv2D(3, 3, activation="relu"),
        "relu": layers.ReLU,
        "bounded": lambda: layers.ReLU(max_value=0.3),
        "leaky": lambda: layers.ReLU(negative_slope=0.2),
        "normalisation": layers.BatchNormalization,
    }
    parts = [made[kind]() for kind in kinds.split()]
    network = unsettled(keras.Sequential([keras.Input((6, 7, 2)), *parts]), seed=1)
    images = np.random.default_rng(1).normal(size=(3, 6, 7, 2)).astype(np.float32)
    folded = fold_batch_normalisation(network)
    np.testing.assert_allclose(folded.predict(images, verbose=0), network.predict(images, verbose=0), atol=1e-5)


def test_a_network_without_normalisation_is_unchanged() -> None:
    from edgedigits.training.folding import fold_batch_normalisation

    network = get_recipe("plain-3conv").build((28, 28, 1), 10)
    folded = fold_batch_normalisation(network)
    assert [type(layer) for layer in folded.layers] == [type(layer) for layer in network.layers]
    for one, other in zip(folded.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
