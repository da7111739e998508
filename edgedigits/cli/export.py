"""`edgedigits export`: make a file for a device, and prove it."""

from pathlib import Path
from typing import Annotated, Literal

import typer

EXAMPLES = (
    "Examples: edgedigits export --format tflite · edgedigits export runs/my-run --format onnx --precision float16 · "
    "edgedigits export model.keras --format tflite --out digits.tflite · edgedigits export nano --format c · "
    "edgedigits export base --format web --out site/"
)


def export(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL]",
            help="A shipped name, a run folder or a .keras file; for C and web also an int8 .tflite file.",
            show_default="the newest run in runs/, else base",
        ),
    ] = None,
    format: Annotated[str, typer.Option(help="onnx, tflite, c, c-array or web.")] = "tflite",
    precision: Annotated[
        str | None,
        typer.Option(help="float32, float16, int8 or dynamic.", show_default="int8 for tflite, float32 for onnx"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="File or folder to write.", show_default="beside the model, of a shipped one here"),
    ] = None,
    verify: Annotated[bool, typer.Option("--verify/--no-verify", help="Compare with Keras before it is kept.")] = True,
    data: Annotated[str | None, typer.Option(help="Dataset or folder.", show_default="what it was trained on")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Look for the dataset here first.")] = None,
    contract: Annotated[Path | None, typer.Option(help="JSON contract for a model file without one.")] = None,
    kernels: Annotated[
        Literal["xnnpack", "reference"],
        typer.Option(help="C: whose rounding of LiteRT; reference needs no FPU."),
    ] = "xnnpack",
    project: Annotated[
        Literal["plain", "arduino", "cmake"], typer.Option(help="C: how its files are laid out.")
    ] = "plain",
    engine: Annotated[
        Literal["wasm", "onnxruntime-web"] | None,
        typer.Option(help="Web: what runs the network; onnxruntime-web takes any ONNX model.", show_default="wasm"),
    ] = None,
    npm_package: Annotated[
        Path | None,
        typer.Option(help="Web: onnxruntime-web as npm pack writes it.", show_default="in the working folder"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a folder that stands there.")] = False,
) -> None:
    """Export a model, and refuse the file if it does not decide as Keras does."""
    from edgedigits.cli.verify import print_verification
    from edgedigits.exporting import ExportRequest, export_model
    from edgedigits.training.data_of_model import DataOptions

    request = ExportRequest(
        model, format, precision, out, verify, DataOptions(data, data_dir), contract, kernels, project, force, engine,
        npm_package,
    )  # fmt: skip
    made = export_model(request)
    typer.echo(_described(made.path, format, made.contract.precision if made.contract else "int8"))
    if made.census:
        typer.echo(made.census.describe())
    for note in made.notes:
        typer.echo(note)
    if format == "web":
        typer.echo(f"open {made.path / 'index.html'}, or serve it: python -m http.server --directory {made.path}")
    if made.verification:
        print_verification(made.verification)


def _described(path: Path, format: str, precision: str) -> str:
    """Return a line of what was written."""
    if path.is_file():
        return f"{path}  {path.stat().st_size:,} bytes  {format} {precision}"
    names = sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())
    return f"{path}/  {format} {precision}: {', '.join(names)}"
