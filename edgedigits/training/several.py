"""Train several recipes or seeds: here one after the other, or on Ray; one that fails stops no other."""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgedigits.recipes import get_recipe
from edgedigits.training.options import TrainOptions, settings_of
from edgedigits.training.run_folder import RunFolder
from edgedigits_exporters.keras_backend import load_keras
from edgedigits_runtime.errors import EdgedigitsError, RunError

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Place:
    """Where trainings run on Ray, and what each of them gets.

    Args:
        address: as edgedigits.ray_cluster.cluster takes it.
        cpus: cores of a training, which it computes with.
        gpus: of a training; None is one where the cluster has any, and none where it has not.
    """

    address: str
    cpus: int = 1
    gpus: float | None = None


def plan(options: TrainOptions, recipes: Iterable[str], seeds: Iterable[int], runs: Path) -> list[TrainOptions]:
    """Return a training for each recipe and seed, into `runs/<recipe>-<seed>`; the rest is as in `options`."""
    return [
        dataclasses.replace(options, recipe=recipe, seed=seed, out=runs / f"{recipe}-{seed}")
        for recipe, seed in dict.fromkeys(itertools.product(recipes, seeds))
    ]


def train_several(trainings: Sequence[TrainOptions], console: "Console", place: Place | None = None) -> dict[str, str]:
    """Train each into its run folder, and return what went wrong by the folder's name.

    A run that is finished is taken as it is, one that was killed is gone on with.

    Args:
        trainings: all with a run folder of their own.
        console: where progress is printed.
        place: None trains here, one after the other.

    Raises:
        MissingExtra, AddressUnavailable: nothing was trained.
        EdgedigitsError: no node of the cluster can take a training.
    """
    if place is not None:
        from edgedigits.training.on_ray import train_on_ray

        return train_on_ray(trainings, place, console)
    load_keras()
    failures = {}
    for options in trainings:
        name = options.out.name if options.out else options.recipe
        console.rule(name)
        try:
            trained(options, console)
        except EdgedigitsError as error:
            failures[name] = str(error)
            console.print(f"{name}: {error}", highlight=False, markup=False, soft_wrap=True)
    return failures


def trained(
    options: TrainOptions, console: "Console", after_epoch: Callable[[RunFolder], None] | None = None
) -> RunFolder:
    """Return the finished run of `options.out`: as it is there, gone on with, or trained anew.

    Raises:
        RunError: it is the run of another training.
    """
    from edgedigits.training.fit import resume, train

    if options.out is None:
        return train(options, console, after_epoch)
    run = RunFolder(options.out)
    if not run.config.is_file():
        return train(options, console, after_epoch)
    check_is_of(run, options)
    return run if run.model.is_file() else resume(run.path, console, after_epoch)


def check_is_of(run: RunFolder, options: TrainOptions) -> None:
    """Return if a run is that of `options`.

    Raises:
        RunError: it was trained otherwise.
    """
    config = run.read_config()
    asked = {**settings_of(options), "augment": bool(options.augment or get_recipe(options.recipe).augmentation)}
    held = {**dataclasses.asdict(config), "augment": config.augmentation is not None}
    other = [f"{name.replace('_', ' ')} {held[name]}, not {asked[name]}" for name in asked if held[name] != asked[name]]
    if other:
        raise RunError(f"{run.path} holds another training: {'; '.join(other)}; give another folder")


def raise_if_any(failures: dict[str, str], trainings: int) -> None:
    """Say at the end what went wrong.

    Raises:
        RunError: something did.
    """
    if failures:
        raise RunError(
            f"{len(failures)} of {trainings} trainings failed ({', '.join(failures)}); the others are whole, and the"
            " same command goes on with the rest"
        )
