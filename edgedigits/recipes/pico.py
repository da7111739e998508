"""pico: for 8-bit microcontrollers: under 1,000 parameters."""

from typing import Any

from edgedigits.recipes import blocks
from edgedigits.recipes.augmentation import HANDWRITING
from edgedigits.recipes.gates import Gate
from edgedigits.recipes.recipe import Recipe


def build_layers(classes: int) -> list[Any]:
    """Return the layers after the input."""
    from keras import layers

    return [
        *blocks.convolution(4),
        *blocks.slim(8, strides=2),
        *blocks.slim(8),
        *blocks.slim(8, strides=2),
        *blocks.slim(9),
        *blocks.slim(9, strides=2),
        # A weight per position instead of the mean: so few channels cannot encode positions.
        *blocks.depthwise(4, padding="valid"),
        layers.Flatten(),
        layers.Dense(classes, activation="softmax", name="probabilities"),
    ]


RECIPE = Recipe(
    name="pico",
    summary="for 8-bit microcontrollers: under 1,000 parameters",
    layers=build_layers,
    epochs=100,
    gentle_epochs=10,
    learning_rate=5e-3,
    schedule="cosine",
    augmentation=HANDWRITING.milder(0.15),
    # No non-digits: they cost 0.8 to 2 percentage points of accuracy.
    quantization_epochs=8,
    gates={"int8": Gate(min_agreement=0.995, max_accuracy_drop=0.3)},
)
