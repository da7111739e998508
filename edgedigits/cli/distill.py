"""`edgedigits distill`: train a recipe to imitate larger networks."""

from typing import Annotated

import typer

from edgedigits.cli import completion
from edgedigits.cli.train import (
    BatchSize,
    DataDir,
    DeviceName,
    Epochs,
    MixedPrecision,
    Out,
    Parallel,
    ReaderName,
    Seed,
    run_training,
)

EXAMPLES = "Example: edgedigits distill --recipe nano --teacher base --teacher runs/teacher-20260101-120000"


def distill(
    recipe: Annotated[str, typer.Option(help="Recipe to train.", autocompletion=completion.recipes)],
    teacher: Annotated[
        list[str],
        typer.Option(
            metavar="MODEL",
            help="A shipped name, a run folder or a .keras file; several are averaged.",
            autocompletion=completion.models,
        ),
    ],
    data: Annotated[
        str | None,
        typer.Option(
            help="A dataset, or a folder with one sub-folder of pictures per class.",
            show_default="mnist",
            autocompletion=completion.datasets,
        ),
    ] = None,
    epochs: Epochs = None,
    out: Out = None,
    seed: Seed = 0,
    reader: ReaderName = None,
    device: DeviceName = "auto",
    data_dir: DataDir = None,
    batch_size: BatchSize = None,
    mixed_precision: MixedPrecision = False,
    parallel: Parallel = False,
) -> None:
    """Train a network on the labels and on its teachers' predictions for each augmented image."""
    from edgedigits.training.train_options import TrainOptions

    options = TrainOptions(
        recipe,
        data,
        data_dir,
        epochs,
        batch_size,
        seed,
        False,
        tuple(teacher),
        mixed_precision,
        parallel,
        out,
        device,
        reader,
    )
    run_training(options)
