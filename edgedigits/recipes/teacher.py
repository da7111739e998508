"""teacher: a large network for GPUs, to distil the others from."""

from typing import Any

from edgedigits.recipes import blocks
from edgedigits.recipes.augmentation import HANDWRITING
from edgedigits.recipes.recipe import Recipe


def build_layers(classes: int) -> list[Any]:
    """Return the layers after the input."""
    return [
        *blocks.convolution(64),
        *blocks.convolution(64),
        *blocks.convolution(128, strides=2),
        *blocks.convolution(128),
        *blocks.convolution(128),
        *blocks.convolution(256, strides=2),
        *blocks.convolution(256),
        *blocks.convolution(256),
        *blocks.head(classes),
    ]


RECIPE = Recipe(
    name="teacher",
    summary="a large network for GPUs, to distil the others from",
    layers=build_layers,
    epochs=80,
    learning_rate=3e-3,
    schedule="cosine",
    augmentation=HANDWRITING,
    non_digits=10_000,
)
