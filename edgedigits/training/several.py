"""Train several recipes or seeds, here one after the other, or on Ray. A failure does not stop the others."""

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgedigits.training.on_ray import RayResources, train_on_ray
from edgedigits.training.train import train_or_resume
from edgedigits.training.train_options import TrainOptions
from edgedigits_exporters.keras_backend import load_keras
from edgedigits_runtime.errors import EdgedigitsError, RunError

if TYPE_CHECKING:
    from rich.console import Console


def plan(options: TrainOptions, recipes: Iterable[str], seeds: Iterable[int], runs: Path) -> list[TrainOptions]:
    """Return options for each recipe and seed, with run folder `runs/<recipe>-<seed>`."""
    return [
        dataclasses.replace(options, recipe=recipe, seed=seed, out=runs / f"{recipe}-{seed}")
        for recipe, seed in dict.fromkeys(itertools.product(recipes, seeds))
    ]


def train_several(
    trainings: Sequence[TrainOptions], console: "Console", place: RayResources | None = None
) -> dict[str, str]:
    """Train each into its own run folder, on a Ray cluster if given, and return the errors by folder name.

    Finished runs are kept and interrupted ones resumed.

    Raises:
        MissingExtra, AddressUnavailable: before anything is trained.
        EdgedigitsError: no node has the resources for a training.
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
    """Raise a RunError that lists the failed trainings, if there are any."""
    if failures:
        raise RunError(
            f"{len(failures)} of {trainings} trainings failed ({', '.join(failures)}); the others are"
            " finished, and the same command resumes the rest"
        )
