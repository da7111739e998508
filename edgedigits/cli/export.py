"""`edgedigits export`: make a file for a device, and prove it."""

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = (
    "Examples: edgedigits export --format tflite · edgedigits export runs/my-run --format onnx --precision float16 · "
    "edgedigits export model.keras --format tflite --out digits.tflite"
)


def export(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL]",
            help="A shipped name, a run folder or a .keras file.",
            show_default="the newest run in runs/, else base",
        ),
    ] = None,
    format: Annotated[str, typer.Option(help="onnx or tflite.")] = "tflite",
    precision: Annotated[
        str | None,
        typer.Option(help="float32, float16, int8 or dynamic.", show_default="int8 for tflite, float32 for onnx"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write.", show_default="beside the model")] = None,
    verify: Annotated[bool, typer.Option("--verify/--no-verify", help="Compare with Keras before it is kept.")] = True,
    data: Annotated[str | None, typer.Option(help="Dataset or folder.", show_default="what it was trained on")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Look for the dataset here first.")] = None,
    contract: Annotated[Path | None, typer.Option(help="JSON contract for a .keras file without one.")] = None,
) -> None:
    """Export a model, and refuse the file if it does not decide as Keras does."""
    from edgedigits.cli.verify import print_verification
    from edgedigits.data.of_model import DataOptions
    from edgedigits.exporting import ExportRequest, export_model

    request = ExportRequest(model, format, precision, out, verify, DataOptions(data, data_dir), contract)
    made = export_model(request)
    typer.echo(f"{made.path}  {made.path.stat().st_size:,} bytes  {made.contract.format} {made.contract.precision}")
    if made.census:
        typer.echo(made.census.describe())
    for note in made.notes:
        typer.echo(note)
    if made.verification:
        print_verification(made.verification)
