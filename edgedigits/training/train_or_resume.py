"""Train into a run folder, or resume the training that is there."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

from edgedigits.recipes import get_recipe
from edgedigits.training.options import TrainOptions, settings_of
from edgedigits.training.run_folder import RunFolder
from edgedigits_runtime.errors import RunError

if TYPE_CHECKING:
    from rich.console import Console


def train_or_resume(
    options: TrainOptions, console: "Console", after_epoch: Callable[[RunFolder], None] | None = None
) -> RunFolder:
    """Return the finished run in `options.out`; train or resume it if necessary.

    Raises:
        RunError: the folder holds a training with other options.
    """
    from edgedigits.training.fit import resume, train

    if options.out is None:
        return train(options, console, after_epoch)
    run = RunFolder(options.out)
    if not run.config.is_file():
        return train(options, console, after_epoch)
    check_same_options(run, options)
    return run if run.model.is_file() else resume(run.path, console, after_epoch)


def check_same_options(run: RunFolder, options: TrainOptions) -> None:
    """Check that a run was started with `options`.

    Raises:
        RunError: it was started with other options.
    """
    config = run.read_config()
    asked = {**settings_of(options), "augment": bool(options.augment or get_recipe(options.recipe).augmentation)}
    held = {**dataclasses.asdict(config), "augment": config.augmentation is not None}
    other = [f"{name.replace('_', ' ')} {held[name]}, not {asked[name]}" for name in asked if held[name] != asked[name]]
    if other:
        raise RunError(f"{run.path} holds another training: {'; '.join(other)}; give another folder")
