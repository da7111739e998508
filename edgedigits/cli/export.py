"""`edgedigits export`: make an artifact for a device, and prove it."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from edgedigits.cli import completion
from edgedigits.cli.model_options import Data, DataDir, ExpectAccuracy

EXAMPLES = (
    "Examples: edgedigits export --format tflite · edgedigits export runs/my-run --format onnx --precision float16 · "
    "edgedigits export model.keras --format tflite --out digits.tflite · edgedigits export nano --format c · "
    "edgedigits export base --format web --out site/"
)

OF_C, OF_WEB = "C (--format c)", "Page (--format web)"
"""Panels of the help."""


def export(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL]",
            help="A shipped name, a run folder, a .keras or an .onnx file; for C and web also an int8 .tflite file.",
            show_default="the newest run in runs/, else base",
            autocompletion=completion.models,
        ),
    ] = None,
    format: Annotated[
        str,
        typer.Option(help="onnx, tflite, c, c-array or web.", autocompletion=completion.one_of(*completion.FORMATS)),
    ] = "tflite",
    precision: Annotated[
        str | None,
        typer.Option(
            help="float32, float16, int8 or dynamic.",
            show_default="int8 for tflite, float32 for onnx",
            autocompletion=completion.one_of(*completion.PRECISIONS),
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="File or folder to write.", show_default="beside the model; of a shipped model here"),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace an existing folder, too; a file is replaced in any case.")
    ] = False,
    verify: Annotated[bool, typer.Option("--verify/--no-verify", help="Compare with MODEL, C with LiteRT.")] = True,
    data: Data = None,
    data_dir: DataDir = None,
    expect_accuracy: ExpectAccuracy = None,
    kernels: Annotated[
        Literal["xnnpack", "reference"] | None,
        typer.Option(
            metavar="NAME",
            help="LiteRT kernels whose rounding it has, also for web: xnnpack, or reference, which needs no FPU.",
            show_default="xnnpack",
            rich_help_panel=OF_C,
        ),
    ] = None,
    project: Annotated[
        Literal["plain", "arduino", "cmake", "esp-idf", "zephyr", "platformio", "page", "npm"] | None,
        typer.Option(
            metavar="NAME",
            help="Layout of the folder. C: plain, arduino, cmake, esp-idf, zephyr or platformio; web: page or npm.",
            show_default="plain, page",
        ),
    ] = None,
    frame: Annotated[
        Literal["none", "one"] | None,
        typer.Option(
            metavar="NAME",
            help="Also digits_read, which finds one digit in a camera's frame: one, or none.",
            show_default="none",
            rich_help_panel=OF_C,
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(metavar="WxH", help="Of a finder's pictures.", show_default="320x320", rich_help_panel=OF_C),
    ] = None,
    engine: Annotated[
        Literal["wasm", "onnxruntime-web"] | None,
        typer.Option(
            metavar="NAME",
            help="wasm, or onnxruntime-web, which takes any ONNX model.",
            show_default="wasm",
            rich_help_panel=OF_WEB,
        ),
    ] = None,
    npm_package: Annotated[
        Path | None,
        typer.Option(
            help="onnxruntime-web as written by npm pack.",
            show_default="in the working folder",
            rich_help_panel=OF_WEB,
        ),
    ] = None,
    finder: Annotated[
        Path | None,
        typer.Option(
            help="A finder's int8 .tflite file, with which it finds digits.",
            show_default="by rules",
            rich_help_panel=OF_WEB,
        ),
    ] = None,
    beside: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL",
            help="Another int8 model to compare with in the page; may be repeated.",
            rich_help_panel=OF_WEB,
        ),
    ] = None,
) -> None:
    """Export a model; refuse the artifact if its decisions differ too much from those of the model."""
    from edgedigits.training.run_folder import RunFolder
    from edgedigits_runtime.finder_contract import is_finder_file

    is_run = model is not None and RunFolder(Path(model)).is_finder()
    if model is not None and format == "c" and (is_run or is_finder_file(Path(model))):
        from edgedigits.finding.code import export_finder_code

        path = export_finder_code(Path(model), out, size or "320x320", kernels or "xnnpack", force=force, verify=verify)
        typer.echo(_describe(path, format, "int8"))
        return
    if size is not None:
        raise typer.BadParameter("only the C of a finder has a size; leave out --size")
    if model is not None and is_run:
        _export_finder(Path(model), format, precision, out, verify)
        return
    from edgedigits.cli.verify import print_verification
    from edgedigits.exporting.export import export_model
    from edgedigits.exporting.plan import ExportRequest
    from edgedigits.model_files import find_model
    from edgedigits.training.data_of_model import DataOptions

    options = {"kernels": kernels, "project": project, "frame": frame, "engine": engine, "npm_package": npm_package} | {
        "finder": finder,
        "beside": tuple(find_model(other, engine="litert") for other in beside or ()) or None,
    }
    places = DataOptions(data, data_dir)
    made = export_model(ExportRequest(model, format, precision, out, verify, places, expect_accuracy, force, options))
    typer.echo(_describe(made.path, format, made.precision))
    if made.census:
        typer.echo(made.census.describe())
    for note in made.notes:
        typer.echo(note)
    if format == "web" and project != "npm":
        typer.echo(f"open {made.path / 'index.html'}, or serve it: python -m http.server --directory {made.path}")
    if made.verification:
        print_verification(made.verification)
    if made.replaced:
        typer.echo(f"replaced {made.replaced}")
    if made.unproven:
        typer.secho(f"NOT PROVEN to decide as the model: {made.unproven}", fg=typer.colors.YELLOW)


def _export_finder(run: Path, format: str, precision: str | None, out: Path | None, verify: bool) -> None:
    """Export the finder of a run folder, also of an unfinished one; it is compared with the trained network."""
    precisions = {"tflite": "int8", "onnx": "float32"}
    if format not in precisions or precision not in (None, precisions[format]):
        expected = ", ".join(f"{name} {kept}" for name, kept in precisions.items()) + " or c"
        raise typer.BadParameter(f"the finder is exported as {expected}; got {format} {precision or ''}".rstrip())
    from edgedigits_exporters.keras_backend import load_keras

    load_keras()
    from edgedigits.finding.exporting import export_finder

    path = export_finder(run / "finder.keras", out or run, formats=(format,), verify=verify)[format]
    typer.echo(_describe(path, format, precisions[format]))


def _describe(path: Path, format: str, precision: str) -> str:
    if path.is_file():
        return f"{path}  {path.stat().st_size:,} bytes  {format} {precision}"
    names = sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())
    return f"{path}/  {format} {precision}: {', '.join(names)}"
