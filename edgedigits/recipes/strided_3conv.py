"""strided-3conv: convolutions with strides on column-normalised pixels, 118,090 parameters for 28x28x1 images."""

from typing import Any

from edgedigits.recipes.recipe import ImageShape, Recipe


def build(image_shape: ImageShape, classes: int) -> Any:
    """Return the untrained network."""
    import keras
    from keras import layers

    return keras.Sequential(
        [
            keras.Input(image_shape, name="image"),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2, padding="same"),
            layers.Conv2D(64, 3, strides=2, padding="same", activation="relu"),
            layers.MaxPooling2D(2, padding="same"),
            layers.Conv2D(128, 3, strides=2, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(classes, activation="softmax", name="probabilities"),
        ],
        name="strided_3conv",
    )


RECIPE = Recipe(
    name="strided-3conv",
    summary="three convolutions, two of them strided, on pixels normalised by column",
    build=build,
    normalisation="column-l2",
    # Ours: epochs, batch size and validation share were not published.
    epochs=10,
    batch_size=32,
    loss="sparse_categorical_crossentropy",
    published="over 97%",
)
