"""Train several recipes or seeds: here one after the other, or on Ray; one that fails stops no other."""

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgedigits.training.on_ray import RayResources, train_on_ray
from edgedigits.training.options import TrainOptions
from edgedigits.training.train_or_resume import train_or_resume
from edgedigits_exporters.keras_backend import load_keras
from edgedigits_runtime.errors import EdgedigitsError, RunError

if TYPE_CHECKING:
    from rich.console import Console


def plan(options: TrainOptions, recipes: Iterable[str], seeds: Iterable[int], runs: Path) -> list[TrainOptions]:
    """Return a training for each recipe and seed, into `runs/<recipe>-<seed>`; the rest is as in `options`."""
    return [
        dataclasses.replace(options, recipe=recipe, seed=seed, out=runs / f"{recipe}-{seed}")
        for recipe, seed in dict.fromkeys(itertools.product(recipes, seeds))
    ]


def train_several(
    trainings: Sequence[TrainOptions], console: "Console", place: RayResources | None = None
) -> dict[str, str]:
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
        return train_on_ray(trainings, place, console)
    load_keras()
    failures = {}
    for options in trainings:
        name = options.out.name if options.out else options.recipe
        console.rule(name)
        try:
            train_or_resume(options, console)
        except EdgedigitsError as error:
            failures[name] = str(error)
            console.print(f"{name}: {error}", highlight=False, markup=False, soft_wrap=True)
    return failures


def raise_failures(failures: dict[str, str], trainings: int) -> None:
    """Say at the end what went wrong.

    Raises:
        RunError: something did.
    """
    if failures:
        raise RunError(
            f"{len(failures)} of {trainings} trainings failed ({', '.join(failures)}); the others are whole, and the"
            " same command goes on with the rest"
        )
