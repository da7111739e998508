"""max: the most accurate of the family: under 400,000 parameters."""

from typing import Any

from edgedigits.recipes import blocks
from edgedigits.recipes.augmentation import HANDWRITING
from edgedigits.recipes.gates import Gate
from edgedigits.recipes.recipe import Recipe


def build_layers(classes: int) -> list[Any]:
    """Return the layers after the input."""
    return [
        *blocks.convolution(32),
        *blocks.convolution(32, strides=2),
        *blocks.convolution(64),
        *blocks.convolution(64, strides=2),
        *blocks.convolution(128),
        *blocks.convolution(128),
        *blocks.head(classes),
    ]


RECIPE = Recipe(
    name="max",
    summary="the most accurate of the family: under 400,000 parameters",
    layers=build_layers,
    epochs=30,
    gentle_epochs=10,
    learning_rate=3e-3,
    schedule="cosine",
    augmentation=HANDWRITING,
    non_digits=10_000,
    gates={"int8": Gate(min_agreement=0.998, max_accuracy_drop=0.05)},
)
