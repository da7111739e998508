"""`edgedigits train`: train a recipe into a run folder, or resume one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from edgedigits.data import DATASETS
from edgedigits.recipes import RECIPES

if TYPE_CHECKING:
    from edgedigits.training.options import TrainOptions

EXAMPLES = (
    "Examples: edgedigits train · edgedigits train --data my-digits/ --augment · "
    "edgedigits train --resume runs/plain-3conv-20260101-120000"
)

PLOT_WIDTH = 100

DataDir = Annotated[Path | None, typer.Option(help="Look for the dataset here first.")]
Epochs = Annotated[int | None, typer.Option(min=1, help="How often it sees the data.", show_default="the recipe's")]
BatchSize = Annotated[int | None, typer.Option(min=1, help="Images for one step.", show_default="the recipe's")]
Seed = Annotated[int, typer.Option(min=0, help="Of weights, order and augmentation.")]
MixedPrecision = Annotated[bool, typer.Option("--mixed-precision", help="Compute in bfloat16: quicker on a GPU.")]
Parallel = Annotated[bool, typer.Option("--parallel", help="Train on all GPUs of this machine.")]
Out = Annotated[Path | None, typer.Option(help="Run folder to make.", show_default="a new one in runs/")]
DeviceName = Annotated[Literal["auto", "cpu", "gpu"], typer.Option(help="Where to train.")]


def train(
    recipe: Annotated[str, typer.Option(help=f"What to train: {', '.join(RECIPES)}.")] = "plain-3conv",
    data: Annotated[
        str | None,
        typer.Option(help=f"{', '.join(DATASETS)}, or a folder with one sub-folder of pictures per class."),
    ] = None,
    data_dir: DataDir = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    seed: Seed = 0,
    augment: Annotated[
        bool, typer.Option("--augment", help="Deform the images a little, where the recipe does not do so itself.")
    ] = False,
    mixed_precision: MixedPrecision = False,
    parallel: Parallel = False,
    out: Out = None,
    resume: Annotated[Path | None, typer.Option(help="Run folder of a killed training to go on with.")] = None,
    device: DeviceName = "auto",
) -> None:
    """Train a network on MNIST or on your own pictures."""
    from edgedigits.training.options import TrainOptions

    options = TrainOptions(
        recipe, data, data_dir, epochs, batch_size, seed, augment, (), mixed_precision, parallel, out, device
    )
    run_training(options if resume is None else resume)


def run_training(what: "TrainOptions | Path") -> None:
    """Start a training, or resume that of a run folder, and print its curves and what to do next."""
    from rich.console import Console

    from edgedigits.recipes import get_recipe
    from edgedigits_exporters.keras_backend import load_keras

    if not isinstance(what, Path):
        # Before Keras, whose import takes seconds.
        get_recipe(what.recipe)
    load_keras()
    from edgedigits.reports.terminal import curves_as_text
    from edgedigits.training import fit

    console = Console()
    run = fit.resume(what, console) if isinstance(what, Path) else fit.train(what, console)
    typer.echo(curves_as_text(run.read_history(), min(console.width, PLOT_WIDTH)))
    typer.echo(f"run folder: {run.path}")
    typer.echo(f"next: edgedigits export {run.path} --format tflite")
