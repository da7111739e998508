"""plain-2conv: two plain convolutions, 225,034 parameters for 28x28x1 images and 10 classes."""

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
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(classes, activation="softmax", name="probabilities"),
    ]


RECIPE = Recipe(
    name="plain-2conv",
    summary="two plain convolutions and one hidden layer",
    layers=build_layers,
    epochs=5,
    batch_size=32,
    loss="sparse_categorical_crossentropy",
    published="98.89%",
)
