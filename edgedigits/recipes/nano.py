"""nano: for small microcontrollers: under 8,000 parameters."""

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
            *blocks.convolution(12),
            *blocks.separable(24, strides=2),
            *blocks.separable(32),
            *blocks.separable(44, strides=2),
            *blocks.separable(60, 5),
            *blocks.head(classes),
        ],
        name="nano",
    )


RECIPE = Recipe(
    name="nano",
    summary="for small microcontrollers: under 8,000 parameters",
    build=build,
    epochs=60,
    gentle_epochs=10,
    learning_rate=3e-3,
    schedule="cosine",
    augmentation=HANDWRITING.milder(0.6),
    not_digits=10_000,
    quantization_epochs=5,
    gates={"int8": Gate(min_agreement=0.998, max_accuracy_drop=0.05)},
)
