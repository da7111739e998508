"""Options of a training, checked and completed from its recipe."""

import dataclasses
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from edgedigits.data import DATASETS
from edgedigits.data.dataset import Dataset
from edgedigits.data.splits import Splits
from edgedigits.model_files import find_keras
from edgedigits.recipes import DEFAULT_RECIPE, get_recipe
from edgedigits.recipes.augmentation import GEOMETRY, Augmentation
from edgedigits.recipes.recipe import Recipe
from edgedigits.training.run_folder import RunConfig
from edgedigits_exporters.keras_backend import Device
from edgedigits_runtime.contract import ReaderKind
from edgedigits_runtime.errors import EdgedigitsError


@dataclass(frozen=True)
class TrainOptions:
    """Options of `edgedigits train`, as in edgedigits.training.train.train; None is the recipe's value."""

    recipe: str = DEFAULT_RECIPE
    data: str | None = None
    data_dir: Path | None = None
    epochs: int | None = None
    batch_size: int | None = None
    seed: int = 0
    augment: bool = False
    teachers: tuple[str, ...] = ()
    mixed_precision: bool = False
    parallel: bool = False
    out: Path | None = None
    device: Device = "auto"
    reader: ReaderKind | None = None


def settings_of(options: TrainOptions) -> dict[str, Any]:
    """Return the settings that identify a training, as in a run's config; unset options take the recipe's values.

    Raises:
        EdgedigitsError: a number is out of range.
        UnknownName, ArtifactError: the recipe or a teacher does not exist.
    """
    recipe = get_recipe(options.recipe)
    epochs = options.epochs if options.epochs is not None else recipe.epochs
    batch_size = options.batch_size if options.batch_size is not None else recipe.batch_size
    for name, value in (("--epochs", epochs), ("--batch-size", batch_size)):
        if value < 1:
            raise EdgedigitsError(f"{name} must be at least 1, got {value}")
    if not 0 <= options.seed < 2**32:
        raise EdgedigitsError(f"--seed must be from 0 to 2**32 - 1, got {options.seed}")
    data = options.data or recipe.dataset
    return {
        "recipe": recipe.name,
        # A relative folder would change its meaning with the working directory.
        "data": str(Path(data).resolve()) if data not in DATASETS and Path(data).is_dir() else data,
        "epochs": epochs,
        "batch_size": batch_size,
        "seed": options.seed,
        "teachers": [str(find_keras(teacher).resolve()) for teacher in options.teachers],
        "mixed_precision": options.mixed_precision,
    }


def config_of(options: TrainOptions, dataset: Dataset, splits: Splits) -> RunConfig:
    """Return every setting of the training; errors are those of `settings_of`."""
    # Imported here: the command line makes options before it checks that Keras is installed.
    import keras

    recipe = get_recipe(options.recipe)
    augmentation = _augmentation(options, recipe, dataset)
    return RunConfig(
        **settings_of(options),
        data_dir=str(options.data_dir.resolve()) if options.data_dir else None,
        augmentation=dataclasses.asdict(augmentation) if augmentation else None,
        device=options.device,
        parallel=options.parallel,
        reader=dataset.reader,
        data_fingerprint=splits.train.digest(),
        split=dataclasses.asdict(recipe.split),
        versions={
            "edgedigits": version("edgedigits"),
            "python": platform.python_version(),
            "keras": keras.__version__,
            "backend": keras.backend.backend(),
        },
    )


def _augmentation(options: TrainOptions, recipe: Recipe, dataset: Dataset) -> Augmentation | None:
    """Return the recipe's augmentation for digits, and only geometry for other pictures."""
    if recipe.augmentation and dataset.reader == "digits":
        return recipe.augmentation
    return GEOMETRY if options.augment or recipe.augmentation else None
