"""`edgedigits import`: take in a model that another tool made."""

from pathlib import Path
from typing import Annotated

import typer

from edgedigits.cli import completion
from edgedigits.cli.model_options import DataDir

EXAMPLES = (
    "Examples: edgedigits import mine.h5 --labels 0123456789 --data my-pictures/ · edgedigits import mine.onnx --data"
    " mnist · edgedigits import animals.tflite --labels cat,dog,owl"
)


def import_command(
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="A .keras, .h5, .onnx or .tflite file, or a SavedModel folder.")
    ],
    labels: Annotated[
        str | None,
        typer.Option(
            help="Names of the classes in the output's order: 0123456789, cat,dog or a file with one on each line.",
            show_default="those in the file, else the data's, else numbers",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="Labelled pictures: a dataset, or a folder with a sub-folder for each class.",
            autocompletion=completion.datasets,
        ),
    ] = None,
    data_dir: DataDir = None,
    out: Annotated[Path | None, typer.Option(help="File to write.", show_default="beside the source")] = None,
    expect_accuracy: Annotated[
        float | None, typer.Option(min=0, max=1, help="Refuse a model that reads less of the data, such as 0.97.")
    ] = None,
    contract: Annotated[
        Path | None,
        typer.Option(help="JSON, or a file of it: contract fields that no file can tell (docs/contract.md)."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Import a model: find out how it is fed, and write one file that every other command takes."""
    from edgedigits.importing.import_model import import_model

    made = import_model(
        source, labels=labels, data=data, data_dir=data_dir, out=out, expect_accuracy=expect_accuracy,
        contract=contract, force=force,
    )  # fmt: skip
    for row in made.tried:
        typer.echo(
            f"  {row.name:24} {row.accuracy:7.1%} of {row.images:,}   loss {row.loss:6.3f}   p = {row.p_value:.2g}"
        )
    for note in made.notes:
        typer.echo(note)
    if made.accuracy:
        share = made.accuracy
        typer.echo(f"accuracy: {share.value:.2%} (95% interval {share.low:.2%} to {share.high:.2%})")
    typer.echo(f"{made.path}  {made.path.stat().st_size:,} bytes")
