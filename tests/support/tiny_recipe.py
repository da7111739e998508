"""The smallest recipe: a training with every phase that takes seconds, so that it can be killed often."""

from typing import Any

from edgedigits.data.splits import SplitPlan
from edgedigits.recipes import blocks
from edgedigits.recipes.gates import Gate
from edgedigits.recipes.recipe import Recipe


def build_layers(classes: int) -> list[Any]:
    """Return the layers after the input."""
    from keras import layers

    return [
        *blocks.convolution(2, strides=2),
        layers.Flatten(),
        layers.Dense(classes, activation="softmax", name="probabilities"),
    ]


RECIPE = Recipe(
    name="tiny",
    summary="to be killed",
    layers=build_layers,
    dataset="optdigits",
    split=SplitPlan(validation=0.2),
    epochs=1,
    batch_size=32,
    keep="best",
    non_digits=64,
    non_digit_output=True,
    gentle_epochs=2,
    quantization_epochs=1,
    # The network is hardly trained, so its exports may disagree; the gates are not under test.
    gates={name: Gate(min_agreement=0.0, max_accuracy_drop=100.0) for name in ("int8", "float32")},
)
