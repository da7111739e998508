"""plain-3conv: three plain convolutions, 93,322 parameters for 28x28x1 images and 10 classes."""

from typing import Any

from edgedigits.recipes.recipe import Recipe


def build_layers(classes: int) -> list[Any]:
    """Return the layers after the input."""
    from keras import layers

    return [
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(classes, activation="softmax", name="probabilities"),
    ]


RECIPE = Recipe(
    name="plain-3conv",
    summary="three plain convolutions and one hidden layer",
    layers=build_layers,
    published="98.9%",
)
