"""Build and compile the network of a training, and load its teachers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from edgedigits.data.dataset import Dataset
from edgedigits.recipes.recipe import Recipe, contract_of
from edgedigits.training.run_folder import RunConfig
from edgedigits_exporters.keras_file import load_model
from edgedigits_runtime.contract import Contract, Normalisation
from edgedigits_runtime.errors import DatasetInvalid, RunError

LARGEST_SIDE = 256


def build_network(recipe: Recipe, dataset: Dataset, config: RunConfig, steps: int) -> Any:
    """Build and compile the untrained network; raise DatasetInvalid if it cannot take images of this size."""
    keras.utils.set_random_seed(config.seed)
    image_shape = dataset.train.images.shape[1:]
    try:
        model = recipe.build(image_shape, contract_of(recipe, dataset).values)
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


def load_teachers(paths: Sequence[str], dataset: Dataset, normalisation: Normalisation) -> list[Any]:
    """Load the networks of `.keras` files; `dataset` and `normalisation` are those of the student.

    Raises:
        ArtifactError: a file is missing or damaged.
        RunError: a teacher takes other images or has other labels.
    """
    teachers = []
    for path in paths:
        network, contract = load_model(Path(path))
        if differing := _differing(contract, dataset, normalisation):
            raise RunError(f"{path} cannot teach: {differing}")
        teachers.append(network)
    return teachers


def _differing(contract: Contract, dataset: Dataset, normalisation: Normalisation) -> str:
    """Return how a teacher differs from the student, or an empty string."""
    if contract.image_shape != dataset.image_shape:
        return f"it takes images of {list(contract.image_shape)}, the data have {list(dataset.image_shape)}"
    if len(contract.labels) != len(dataset.labels):
        return f"it has {len(contract.labels)} labels, the data have {len(dataset.labels)}"
    for its, ours in zip(contract.labels, dataset.labels, strict=True):
        if its != ours:
            return f"it has the label {its!r}, the data have {ours!r}"
    if contract.normalisation != normalisation:
        return f"it takes images normalised by {contract.normalisation!r}, the student by {normalisation!r}"
    return ""
