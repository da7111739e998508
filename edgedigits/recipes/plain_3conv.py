"""plain-3conv: three plain convolutions, 93,322 parameters for 28x28x1 images and 10 classes."""

from typing import Any

from edgedigits.recipes.recipe import ImageShape, Recipe


def build(image_shape: ImageShape, classes: int) -> Any:
    """Return the untrained network."""
    import keras
    from keras import layers

    return keras.Sequential(
        [
            keras.Input(image_shape, name="image"),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(classes, activation="softmax", name="probabilities"),
        ],
        name="plain_3conv",
    )


RECIPE = Recipe(
    name="plain-3conv",
    summary="three plain convolutions and one hidden layer",
    build=build,
    published="98.9%",
)
