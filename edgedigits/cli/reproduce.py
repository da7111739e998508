"""`edgedigits reproduce`: train published recipes, and compare the results with the published ones."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgedigits.cli import completion
from edgedigits.cli.model_options import DataDir, as_typed
from edgedigits.cli.train import Address, Cpus, Gpus
from edgedigits.recipes import PUBLISHED

if TYPE_CHECKING:
    from rich.console import Console

EXAMPLES = "Examples: edgedigits reproduce --recipe plain-2conv --seeds 1 · edgedigits reproduce --address auto"


def reproduce(
    ctx: typer.Context,
    recipe: Annotated[
        list[str] | None,
        typer.Option(
            help=f"{', '.join(PUBLISHED)}; may be repeated.",
            show_default="all",
            autocompletion=completion.one_of(*PUBLISHED),
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each recipe.")] = 3,
    runs: Annotated[Path, typer.Option(help="Folder of the runs; finished runs are reused.")] = Path("runs/published"),
    data_dir: DataDir = None,
    out: Annotated[Path, typer.Option(help="JSON file; rows of other recipes are kept.")] = Path("reproduce.json"),
    address: Address = None,
    cpus: Cpus = 1,
    gpus: Gpus = None,
) -> None:
    """Train, evaluate, export and verify published recipes, and compare with the published results."""
    from rich.console import Console

    from edgedigits.recipes import get_recipe
    from edgedigits_exporters.keras_backend import load_keras

    names = recipe or list(PUBLISHED)
    for name in names:
        get_recipe(name)
    load_keras()
    from edgedigits import reproduction
    from edgedigits.training.on_ray import RayResources
    from edgedigits.training.several import plan, raise_failures, train_several
    from edgedigits.training.train_options import TrainOptions

    console = Console()
    trainings = plan(TrainOptions(data_dir=data_dir), names, range(seeds), runs)
    rows = []
    try:
        failures = train_several(trainings, console, RayResources(address, cpus, gpus)) if address else {}
        for name in names:
            if any(f"{name}-{seed}" in failures for seed in range(seeds)):
                continue
            rows.append(reproduction.reproduce(name, seeds, runs, data_dir, console))
            # After each recipe, so that an interruption loses no results.
            reproduction.write_rows(rows, out)
    except KeyboardInterrupt:
        # Not with `train --resume`, which the training would advise: the others would be left out.
        raise KeyboardInterrupt(f"interrupted; finished epochs are kept; to go on: {as_typed(ctx)}") from None
    if rows:
        _print(rows, console)
        typer.echo(f"written: {out}")
    raise_failures(failures, len(trainings))


def _print(rows: list[dict[str, Any]], console: "Console") -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, padding=(0, 1, 0, 0), title="Test accuracy; ± is the standard deviation over seeds")
    for column in ("recipe", "published", "ours", "best epoch", "int8", "as Keras"):
        table.add_column(column, no_wrap=column in ("recipe", "ours"))
    for row in rows:
        accuracy, int8 = row["test_accuracy"], row["exports"]["tflite-int8"]
        table.add_row(
            row["recipe"],
            row["published"],
            f"{accuracy['mean']:.2%}" + ("" if accuracy["std"] is None else f" ± {100 * accuracy['std']:.2f}"),
            f"{row['best_by_validation']['mean']:.2%}",
            f"{int8['accuracy']:.2%}",
            f"{int8['agreement']:.2%}",
        )
    console.print(table)
