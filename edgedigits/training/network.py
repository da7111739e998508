"""Build and compile the network of a training."""

from typing import Any

import keras
import numpy as np

from edgedigits.data.dataset import Dataset
from edgedigits.recipes.recipe import Recipe
from edgedigits.training.run_folder import RunConfig
from edgedigits_runtime.errors import DatasetInvalid

LARGEST_SIDE = 256


def build_network(recipe: Recipe, dataset: Dataset, config: RunConfig, steps: int) -> Any:
    """Build and compile the untrained network for a number of steps per epoch.

    Raises:
        DatasetInvalid: the network cannot take images of this size.
    """
    keras.utils.set_random_seed(config.seed)
    image_shape = dataset.train.images.shape[1:]
    try:
        model = recipe.build(image_shape, len(dataset.labels))
    except ValueError as error:
        height, width, channels = image_shape
        raise DatasetInvalid(
            f"recipe {recipe.name} cannot take images of {height}x{width}; the smallest it takes are"
            f" {_smallest_side(recipe, channels)} pixels wide and high"
        ) from error
    rate = recipe.learning_rate
    if recipe.schedule == "cosine":
        rate = _warmup_and_cosine(rate, steps if config.epochs > 1 else 0, config.epochs * steps)
    model.compile(keras.optimizers.Adam(rate), recipe.loss, metrics=["accuracy"])
    return model


def _warmup_and_cosine(highest: float, warmup: int, steps: int) -> Any:
    """Return a learning rate that rises from 0 in the warm-up and falls to 0 along a cosine."""
    if not warmup:
        return keras.optimizers.schedules.CosineDecay(highest, steps)
    return keras.optimizers.schedules.CosineDecay(0.0, steps - warmup, warmup_target=highest, warmup_steps=warmup)


def _smallest_side(recipe: Recipe, channels: int) -> int:
    """Return the smallest side of a square image that the recipe's network accepts."""
    for side in range(1, LARGEST_SIDE):
        try:
            recipe.build((side, side, channels), 2)
        except ValueError:
            continue
        return side
    raise DatasetInvalid(f"recipe {recipe.name} accepts no image of up to {LARGEST_SIDE} pixels")


def seed_layers(model: Any, seed: int, epoch: int) -> None:
    """Set the random state of layers such as Dropout, which Keras does not save, so that a resumed run is equal."""
    states = [variable for variable in model.variables if variable.path.endswith("seed_generator_state")]
    for number, state in enumerate(states):
        state.assign(np.array([seed, epoch * len(states) + number], np.uint32))
