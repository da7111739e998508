"""nano: for small microcontrollers: under 8,000 parameters."""

from typing import Any

from edgedigits.recipes import blocks
from edgedigits.recipes.augmentation import HANDWRITING
from edgedigits.recipes.gates import Gate
from edgedigits.recipes.recipe import Recipe


def build_layers(classes: int) -> list[Any]:
    """Return the layers after the input."""
    from keras import layers

    return [
        # Full convolutions with few channels were more accurate than depthwise ones with as many parameters.
        *blocks.convolution(6, padding="valid"),
        *blocks.convolution(12, padding="valid"),
        layers.MaxPooling2D(2),
        *blocks.convolution(14, padding="valid"),
        *blocks.convolution(18, padding="valid"),
        layers.MaxPooling2D(2),
        *blocks.convolution(19, padding="valid"),
        *blocks.head(classes),
    ]


RECIPE = Recipe(
    name="nano",
    summary="for small microcontrollers: under 8,000 parameters",
    layers=build_layers,
    epochs=80,
    gentle_epochs=15,
    learning_rate=3e-3,
    schedule="cosine",
    augmentation=HANDWRITING.milder(0.6),
    non_digits=10_000,
    # At full weight, non-digits cost such a small network too much accuracy: docs/training.md.
    non_digits_weight=0.3,
    quantization_epochs=5,
    gates={"int8": Gate(min_agreement=0.998, max_accuracy_drop=0.05)},
)
