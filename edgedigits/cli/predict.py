"""`edgedigits predict`: read pictures."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from edgedigits_runtime.reading.reader import Reading

EXAMPLES = (
    "Examples: edgedigits predict photo.jpg · edgedigits predict scans/ --json · cat a.png | edgedigits predict -"
)

WORTH_SHOWING = 0.01
"""Second choices below this confidence are left out of the text."""


def predict(
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE...", help="Files, folders, patterns, or - for standard input.")
    ],
    model: Annotated[
        str, typer.Option(help="A shipped name, a run folder, or a .keras, .onnx or .tflite file.")
    ] = "base",
    engine: Annotated[str | None, typer.Option(help="litert, onnxruntime or keras; chosen by file type.")] = None,
    device: Annotated[str, typer.Option(help="auto or cpu.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    top_k: Annotated[int, typer.Option(min=1, help="How many labels to list for a digit.")] = 3,
    min_confidence: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Leave out what is read with less.", show_default="the model's own"),
    ] = None,
    max_pixels: Annotated[int | None, typer.Option(min=1, help="Refuse pictures with more pixels.")] = None,
    contract: Annotated[Path | None, typer.Option(help="JSON contract for a model file without one.")] = None,
) -> None:
    """Read the digit in each picture."""
    from edgedigits import load
    from edgedigits_runtime.errors import EdgedigitsError
    from edgedigits_runtime.sources.files import expand

    reader = load(
        model, engine=engine, device=device, contract=contract, min_confidence=min_confidence, max_pixels=max_pixels
    )
    reader.top_k = top_k
    failed = False
    for source in expand(sources):
        try:
            if source.content is None:
                raise source.error or EdgedigitsError(f"nothing to read in {source.name}")
            reading = reader.read(source.content, name=source.name)
        except EdgedigitsError as error:
            failed = True
            _print_error(source.name, error, as_json)
        else:
            typer.echo(json.dumps(reading.to_dict()) if as_json else _line(reading))
    if failed:
        raise typer.Exit(1)


def _print_error(name: str, error: Exception, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"source": name, "error": str(error)}))
    else:
        # Standard output may be buffered; errors should stand where they happened.
        sys.stdout.flush()
        typer.secho(f"error: {error}", err=True, fg=typer.colors.RED)


def _line(reading: "Reading") -> str:
    if not reading.digits:
        return f"{reading.source}: no digit"
    digit = reading.digits[0]
    others = [f"{label} {share:.1%}" for label, share in digit.top[1:] if share >= WORTH_SHOWING]
    return f"{reading.source}: {reading.text}  {digit.confidence:.1%}" + (f"  ({', '.join(others)})" if others else "")
