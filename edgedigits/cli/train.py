"""`edgedigits train`: train a recipe into a run folder, or resume one."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from edgedigits.data import DATASETS
from edgedigits.recipes import RECIPES

EXAMPLES = (
    "Examples: edgedigits train · edgedigits train --data my-digits/ --augment · "
    "edgedigits train --resume runs/plain-3conv-20260101-120000"
)

PLOT_WIDTH = 100


def train(
    recipe: Annotated[str, typer.Option(help=f"What to train: {', '.join(RECIPES)}.")] = "plain-3conv",
    data: Annotated[
        str | None,
        typer.Option(help=f"{', '.join(DATASETS)}, or a folder with one sub-folder of pictures per class."),
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Look for the dataset here first.")] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="How often it sees the data.", show_default="the recipe's")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Images for one step.", show_default="the recipe's")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of weights, order and augmentation.")] = 0,
    augment: Annotated[bool, typer.Option("--augment", help="Rotate, shift and scale the images a little.")] = False,
    out: Annotated[Path | None, typer.Option(help="Run folder to make.", show_default="a new one in runs/")] = None,
    resume: Annotated[Path | None, typer.Option(help="Run folder of a killed training to go on with.")] = None,
    device: Annotated[Literal["auto", "cpu", "gpu"], typer.Option(help="Where to train.")] = "auto",
) -> None:
    """Train a network on MNIST or on your own pictures."""
    from rich.console import Console

    from edgedigits.recipes import get_recipe
    from edgedigits_exporters.keras_backend import load_keras

    # Before Keras, whose import takes seconds.
    get_recipe(recipe)

    load_keras()
    from edgedigits.reports.terminal import curves_as_text
    from edgedigits.training import fit

    console = Console()
    if resume is not None:
        run = fit.resume(resume, console)
    else:
        options = fit.TrainOptions(recipe, data, data_dir, epochs, batch_size, seed, augment, out, device)
        run = fit.train(options, console)
    typer.echo(curves_as_text(run.read_history(), min(console.width, PLOT_WIDTH)))
    typer.echo(f"run folder: {run.path}")
    typer.echo(f"next: edgedigits export {run.path} --format tflite")
