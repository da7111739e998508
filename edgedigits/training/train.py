"""Train a recipe, or resume the training of a run folder."""

import dataclasses
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from edgedigits.model_files import AnyPath, optional_path
from edgedigits.recipes import DEFAULT_RECIPE, get_recipe
from edgedigits.training.data_of_model import DataOptions
from edgedigits.training.prepared import prepare
from edgedigits.training.run_folder import RunFolder
from edgedigits.training.train_options import TrainOptions, settings_of
from edgedigits_exporters.keras_backend import Device, load_keras
from edgedigits_runtime.contract import ReaderKind
from edgedigits_runtime.errors import RunError

if TYPE_CHECKING:
    from rich.console import Console


def train(
    recipe: str = DEFAULT_RECIPE,
    *,
    data: AnyPath | None = None,
    data_dir: AnyPath | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    seed: int = 0,
    augment: bool = False,
    teachers: Sequence[AnyPath] = (),
    mixed_precision: bool = False,
    parallel: bool = False,
    out: AnyPath | None = None,
    device: Device = "auto",
    reader: ReaderKind | None = None,
) -> RunFolder:
    """Train a recipe and return its run folder; mirrors `edgedigits train`.

    Args:
        recipe: a name in edgedigits.recipes.RECIPES.
        data: dataset name, or a folder with one sub-folder of images per class; None for the recipe's dataset.
        data_dir: folder that is searched for the dataset first.
        epochs, batch_size: None for the recipe's.
        seed: for weights, order and augmentation.
        augment: deform the images, for a recipe that has no augmentation of its own.
        teachers: MODELs to distil from.
        mixed_precision: compute in bfloat16, keep weights in float32.
        parallel: train on all GPUs of this machine, with the JAX backend.
        out: the run folder; None for a new one under `runs/`.
        device: "auto", "cpu" or "gpu".
        reader: of a folder's pictures: "digits" finds and frames the digit of each, "plain" takes whole pictures; None
            is "digits" if all classes are called by a digit.

    Raises:
        EdgedigitsError: see edgedigits.training.fit.train.
    """
    places = DataOptions.of(data, data_dir)
    options = TrainOptions(
        recipe, places.data, places.data_dir, epochs, batch_size, seed, augment,
        tuple(os.fspath(each) for each in teachers), mixed_precision, parallel, optional_path(out, "a run folder"),
        device, reader,
    )  # fmt: skip
    prepared = prepare(options)
    load_keras()
    # Keras is imported here, and only after load_keras has chosen its backend.
    from edgedigits.training import fit

    return fit.train(options, prepared=prepared)


def train_or_resume(
    options: TrainOptions, console: "Console", after_epoch: Callable[[RunFolder], None] | None = None
) -> RunFolder:
    """Return the finished run in `options.out`; train or resume it if necessary.

    Raises:
        RunError: the folder holds a training with other options.
    """
    from edgedigits.training import fit

    if options.out is None or not RunFolder(options.out).config.is_file():
        return fit.train(options, console, after_epoch)
    run = RunFolder(options.out)
    check_same_options(run, options)
    return run if run.model.is_file() else fit.resume(run.path, console, after_epoch)


def check_same_options(run: RunFolder, options: TrainOptions) -> None:
    """Raise RunError if a run was started with other options."""
    config = run.read_config()
    asked = {**settings_of(options), "augment": bool(options.augment or get_recipe(options.recipe).augmentation)}
    held = {**dataclasses.asdict(config), "augment": config.augmentation is not None}
    other = [f"{name.replace('_', ' ')} {held[name]}, not {asked[name]}" for name in asked if held[name] != asked[name]]
    if other:
        raise RunError(f"{run.path} holds another training: {'; '.join(other)}; give another folder")
