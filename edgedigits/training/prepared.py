"""What a training needs besides Keras, whose import takes seconds: errors in it come before that."""

from pathlib import Path
from typing import NamedTuple

from edgedigits.data import folder_target, load_dataset
from edgedigits.data.dataset import Dataset
from edgedigits.data.splits import Splits, split
from edgedigits.recipes import get_recipe
from edgedigits.recipes.recipe import Recipe
from edgedigits.training.run_folder import RunFolder, check_out
from edgedigits.training.train_options import TrainOptions, settings_of
from edgedigits_runtime.contract import ReaderKind
from edgedigits_runtime.errors import RunError


class Prepared(NamedTuple):
    """The recipe of a training, and its data."""

    recipe: Recipe
    dataset: Dataset
    splits: Splits


def prepare(what: TrainOptions | Path) -> Prepared:
    """Load the data of a new training, or of one to resume by its run folder; write nothing.

    Raises:
        UnknownName, ArtifactError, DataError, RunError, EdgedigitsError: an option, the data or the folder is unusable.
    """
    if isinstance(what, Path):
        return _of_run(what)
    recipe = get_recipe(what.recipe)
    settings_of(what)
    check_out(what.out)
    return _loaded(recipe, what.data or recipe.dataset, what.data_dir, what.reader)


def _of_run(path: Path) -> Prepared:
    config = RunFolder(path).read_config()
    if config.started_from:
        raise RunError(f"{path} was fine-tuned in one go and cannot be resumed; repeat the command with another --out")
    data_dir = Path(config.data_dir) if config.data_dir else None
    prepared = _loaded(get_recipe(config.recipe), config.data, data_dir, config.reader)
    if prepared.splits.train.digest() != config.data_fingerprint:
        raise RunError(f"{path} was trained on other data: {config.data!r} has changed; start a new run")
    return prepared


def _loaded(recipe: Recipe, data: str, data_dir: Path | None, reader: ReaderKind | None) -> Prepared:
    dataset = load_dataset(data, data_dir=data_dir, target=folder_target(data, reader))
    return Prepared(recipe, dataset, split(dataset, recipe.split))
