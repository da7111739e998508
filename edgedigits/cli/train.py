"""`edgedigits train`: train a recipe into a run folder, or resume one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from edgedigits.cli import completion
from edgedigits.cli.model_options import given_options
from edgedigits.data import DATASETS
from edgedigits.recipes import DEFAULT_RECIPE, FINDER, PUBLISHED

if TYPE_CHECKING:
    from edgedigits.training.fine_tune import FineTuneOptions
    from edgedigits.training.on_ray import RayResources
    from edgedigits.training.train_options import TrainOptions

EXAMPLES = (
    "Examples: edgedigits train · edgedigits train --from base --data my-digits/ · "
    "edgedigits train --resume runs/base-20260101-120000 · "
    "edgedigits train --seed 0 --seed 1 --seed 2 --address auto · edgedigits train --recipe finder"
)

PLOT_WIDTH = 100

ON_RAY = "Ray"
"""A panel of the help."""

OF_FINE_TUNING = ("--from", "--data", "--data-dir", "--seed", "--out", "--device")

OF_FINDER = ("--recipe", "--epochs", "--batch-size", "--seed", "--out", "--device")

DataDir = Annotated[Path | None, typer.Option(help="Folder to search for the dataset first.")]
Epochs = Annotated[int | None, typer.Option(min=1, help="Passes over the training data.", show_default="the recipe's")]
BatchSize = Annotated[int | None, typer.Option(min=1, help="Images in one step.", show_default="the recipe's")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of weights, order and augmentation.")]
MixedPrecision = Annotated[
    bool, typer.Option("--mixed-precision", help="Compute in bfloat16, which is faster on a GPU.")
]
Parallel = Annotated[
    bool, typer.Option("--parallel", help="Train on all GPUs of this machine; needs KERAS_BACKEND=jax.")
]
Out = Annotated[Path | None, typer.Option(help="New run folder.", show_default="in runs/")]
Address = Annotated[
    str | None,
    typer.Option(
        help="Train on Ray: local, auto, HOST:PORT or ray://HOST:PORT.",
        show_default="on this machine, one by one",
        rich_help_panel=ON_RAY,
    ),
]
Cpus = Annotated[int, typer.Option(min=1, help="Cores of each training.", rich_help_panel=ON_RAY)]
Gpus = Annotated[
    float | None,
    typer.Option(min=0, help="GPUs of each training.", show_default="1 if there are any", rich_help_panel=ON_RAY),
]
ReaderName = Annotated[
    Literal["digits", "plain"] | None,
    typer.Option(
        help="How a folder's pictures are taken: their digit framed, or whole.",
        show_default="digits if all classes are called by a digit",
    ),
]
DeviceName = Annotated[Literal["auto", "cpu", "gpu"], typer.Option(help="Device to train on.")]


def train(
    ctx: typer.Context,
    recipe: Annotated[
        list[str] | None,
        typer.Option(
            help="Start with base, the network that predict uses (some 40 minutes of one core), or nano for"
            " microcontrollers; pico is smaller, max and teacher are larger. Published ones, which train in minutes and"
            f" read photos worse: {', '.join(PUBLISHED)}. {FINDER} finds digits. May be repeated.",
            show_default=DEFAULT_RECIPE,
            autocompletion=completion.recipes,
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help=f"{', '.join(DATASETS)}, or a folder with one sub-folder of pictures per class.",
            show_default="the recipe's",
            autocompletion=completion.datasets,
        ),
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="MODEL",
            help="Fine-tune this model to your own digits in --data, with MNIST rehearsed.",
            autocompletion=completion.models,
        ),
    ] = None,
    epochs: Epochs = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="New run folder; with several trainings or --address, the folder of the run folders.",
            show_default="in runs/",
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="Run folder of an interrupted training; its settings are used, so give no others.",
            autocompletion=completion.runs,
        ),
    ] = None,
    seed: Annotated[
        list[int] | None,
        typer.Option(min=0, help="Seed of weights, order and augmentation; may be repeated.", show_default="0"),
    ] = None,
    augment: Annotated[
        bool, typer.Option("--augment", help="Augment the images, if the recipe does not do so itself.")
    ] = False,
    reader: ReaderName = None,
    device: DeviceName = "auto",
    data_dir: DataDir = None,
    batch_size: BatchSize = None,
    mixed_precision: MixedPrecision = False,
    parallel: Parallel = False,
    address: Address = None,
    cpus: Cpus = 1,
    gpus: Gpus = None,
) -> None:
    """Train a network on MNIST or on your own pictures, or several networks with several recipes and seeds."""
    from edgedigits.training.on_ray import RayResources
    from edgedigits.training.run_folder import RUNS, RunFolder
    from edgedigits.training.several import plan
    from edgedigits.training.train_options import TrainOptions

    recipes, seeds = recipe or [DEFAULT_RECIPE], seed or [0]
    if recipes == [FINDER] or (resume is not None and RunFolder(resume).is_finder()):
        wrong = [option for option in given_options(ctx) if option not in (("--resume",) if resume else OF_FINDER)]
        if wrong or len(seeds) > 1:
            raise typer.BadParameter(f"the finder takes one seed, and no {', '.join(wrong) or 'other'}")
        run_finder(resume, epochs, batch_size, seeds[0], out, device)
        return
    if from_ is not None:
        wrong = [option for option in given_options(ctx) if option not in OF_FINE_TUNING]
        if wrong or len(seeds) > 1 or data is None:
            problem = f"takes no {wrong[0]}" if wrong else "needs one --seed" if data else "needs --data FOLDER"
            raise typer.BadParameter(f"{problem}; it takes {', '.join(OF_FINE_TUNING)}", param_hint="--from")
        from edgedigits.training.fine_tune import FineTuneOptions

        run_fine_tuning(FineTuneOptions(from_, data, data_dir, out, seeds[0], device))
        return
    options = TrainOptions(
        recipes[0],
        data,
        data_dir,
        epochs,
        batch_size,
        seeds[0],
        augment,
        (),
        mixed_precision,
        parallel,
        out,
        device,
        reader,
    )
    if address is None and len(recipes) == len(seeds) == 1:
        if resume is not None and (others := [option for option in given_options(ctx) if option != "--resume"]):
            raise typer.BadParameter(
                f"uses the settings of the run; leave out {', '.join(others)}", param_hint="--resume"
            )
        run_training(options if resume is None else resume)
    elif resume is not None:
        raise typer.BadParameter(
            "resumes one training on this machine; for several, give the same --out again", param_hint="--resume"
        )
    else:
        run_several(plan(options, recipes, seeds, out or RUNS), RayResources(address, cpus, gpus) if address else None)


def run_finder(
    resume: Path | None,
    epochs: int | None,
    batch_size: int | None,
    seed: int,
    out: Path | None,
    device: Literal["auto", "cpu", "gpu"],
) -> None:
    """Train the finder, or resume its training; print what was exported."""
    from rich.console import Console

    from edgedigits.training.run_folder import RunFolder, check_out
    from edgedigits_exporters.keras_backend import load_keras

    # Errors about the folder come before the import of TensorFlow.
    if resume is None:
        check_out(out)
    else:
        RunFolder(resume).read_config()
    load_keras()
    from edgedigits.finding.training import BATCH_SIZE, EPOCHS, FinderOptions, resume_finder, train_finder

    console = Console()
    if resume is not None:
        run = resume_finder(resume, console)
    else:
        options = FinderOptions(epochs or EPOCHS, batch_size or BATCH_SIZE, seed, out, device)
        run = train_finder(options, console)
    typer.echo(f"run folder: {run.path}, with finder.tflite and finder.onnx")


def run_fine_tuning(options: "FineTuneOptions") -> None:
    """Fine-tune a model to one's own digits; print what it read before and after, and the next command."""
    from rich.console import Console

    from edgedigits.training.fine_tune import SHEET, fine_tune

    done = fine_tune(options, Console())
    typer.echo(f"\n{done.table()}\n")
    if advice := done.advice():
        typer.secho(advice, err=True, fg="yellow")
    typer.echo(f"what was taken and left out: {done.run.path / SHEET}")
    typer.echo(f"run folder: {done.run.path}")
    typer.echo(f"next: edgedigits export {done.run.path} --format tflite")


def run_training(what: "TrainOptions | Path") -> None:
    """Start a training, or resume that of a run folder; print its curves and the next command."""
    from rich.console import Console

    from edgedigits.training.prepared import prepare
    from edgedigits_exporters.keras_backend import load_keras

    prepared = prepare(what)
    load_keras()
    from edgedigits.plotting.curves import curves_as_text
    from edgedigits.training import fit

    console = Console()
    run = (
        fit.resume(what, console, prepared=prepared)
        if isinstance(what, Path)
        else fit.train(what, console, prepared=prepared)
    )
    typer.echo(curves_as_text(run.read_history(), min(console.width, PLOT_WIDTH)))
    typer.echo(f"run folder: {run.path}")
    typer.echo(f"next: edgedigits export {run.path} --format tflite")


def run_several(trainings: "list[TrainOptions]", place: "RayResources | None") -> None:
    """Train several networks, and print the result of each; fail if one failed."""
    from rich.console import Console

    from edgedigits.recipes import get_recipe
    from edgedigits.training.run_folder import RunFolder
    from edgedigits.training.several import raise_failures, train_several

    for options in trainings:
        get_recipe(options.recipe)
    failures = train_several(trainings, Console(), place)
    for options in trainings:
        run = RunFolder(options.out or Path())
        if run.path.name not in failures:
            typer.echo(f"val_accuracy {run.read_history()[-1]['val_accuracy']:.4f}  run folder: {run.path}")
    raise_failures(failures, len(trainings))
