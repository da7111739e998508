"""max: the most accurate of the family: under 400,000 parameters."""

from typing import Any

from edgedigits.recipes import blocks
from edgedigits.recipes.augmentation import HANDWRITING
from edgedigits.recipes.gates import Gate
from edgedigits.recipes.recipe import ImageShape, Recipe


def build(image_shape: ImageShape, classes: int) -> Any:
    """Return the untrained network."""
    import keras

    return keras.Sequential(
        [
            keras.Input(image_shape, name="image"),
            *blocks.convolution(32),
            *blocks.convolution(32, strides=2),
            *blocks.convolution(64),
            *blocks.convolution(64, strides=2),
            *blocks.convolution(128),
            *blocks.convolution(128),
            *blocks.head(classes),
        ],
        name="max",
    )


RECIPE = Recipe(
    name="max",
    summary="the most accurate of the family: under 400,000 parameters",
    build=build,
    epochs=30,
    gentle_epochs=10,
    learning_rate=3e-3,
    schedule="cosine",
    augmentation=HANDWRITING,
    non_digits=10_000,
    gates={"int8": Gate(min_agreement=0.998, max_accuracy_drop=0.05)},
)
