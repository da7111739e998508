"""pico: for 8-bit microcontrollers: under 1,000 parameters."""

from typing import Any

from edgedigits.recipes import blocks
from edgedigits.recipes.recipe import ImageShape, Recipe
from edgedigits.training.augmentation import HANDWRITING
from edgedigits.verification.gates import Gate


def build(image_shape: ImageShape, classes: int) -> Any:
    """Return the untrained network."""
    import keras

    return keras.Sequential(
        [
            keras.Input(image_shape, name="image"),
            *blocks.convolution(6, 5, strides=2),
            *blocks.separable(12, strides=2),
            *blocks.separable(16, padding="valid"),
            *blocks.depthwise(padding="valid"),
            *blocks.head(classes),
        ],
        name="pico",
    )


RECIPE = Recipe(
    name="pico",
    summary="for 8-bit microcontrollers: under 1,000 parameters",
    build=build,
    epochs=60,
    learning_rate=3e-3,
    schedule="cosine",
    augmentation=HANDWRITING.milder(0.4),
    not_digits=10_000,
    quantization_epochs=5,
    gates={"int8": Gate(min_agreement=0.995, max_accuracy_drop=0.3)},
)
