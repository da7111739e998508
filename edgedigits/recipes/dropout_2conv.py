"""dropout-2conv: two convolutions and dropout, 421,642 parameters for 28x28x1 images and 10 classes.

The original joined MNIST's train and test images and split them 70/15/15; it then watched its own test part while
training. Here the validation part is watched, and the test part is measured once, at the end.
"""

from typing import Any

from edgedigits.data.splits import SplitPlan
from edgedigits.recipes.recipe import Recipe


def build_layers(classes: int) -> list[Any]:
    """Return the layers after the input."""
    from keras import layers

    return [
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Dropout(0.25),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(classes, activation="softmax", name="probabilities"),
    ]


RECIPE = Recipe(
    name="dropout-2conv",
    summary="two convolutions with dropout, on train and test joined and split 70/15/15",
    layers=build_layers,
    split=SplitPlan(joined=True, seed=42),
    epochs=20,
    published="99.04%, best epoch 99.19%",
)
