"""`edgedigits demo`: train, export, verify and read pictures, with one table at the end."""

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from edgedigits.demonstration import Demonstration

EXAMPLES = "Example: edgedigits demo --epochs 2"

NEXT = (
    "predict photo.jpg --explain why/           # read a photo, with a sheet of all steps",
    "evaluate my-pictures/ --sheet misread.png  # measure the accuracy on your pictures",
    "train --data my-digits/                    # train on your digits, one sub-folder per class",
)


def demo(
    examples: Annotated[Path, typer.Option(help="Folder of pictures with labels.csv.")] = Path("examples"),
    epochs: Annotated[int, typer.Option(min=1, help="Training epochs.")] = 2,
    data_dir: Annotated[Path | None, typer.Option(help="Folder to search for MNIST first.")] = None,
) -> None:
    """Train briefly, export, verify the exports, read example pictures, and print the results as tables."""
    from rich.console import Console

    from edgedigits.data.labelled_pictures import read_labelled
    from edgedigits_exporters.keras_backend import load_keras

    # Before Keras, whose import takes seconds.
    pictures = read_labelled(examples)
    load_keras()
    from edgedigits.demonstration import demonstrate

    console = Console()
    found = demonstrate(pictures, epochs=epochs, data_dir=data_dir, console=console)
    _print(found, console)


def _print(found: "Demonstration", console: "Console") -> None:
    from rich import box
    from rich.table import Table

    readings = Table("picture", "read", "confidence", "label", title="Examples", box=box.SIMPLE)
    for reading, label in found.readings:
        confidence = f"{reading.digits[0].confidence:.1%}" if reading.digits else "-"
        style = None if reading.text == label else "red"
        readings.add_row(Path(reading.source).name, reading.text or "no digit", confidence, label, style=style)
    console.print(readings)
    title = f"{found.dataset}: all {found.images:,} test images with each file; ms for one image"
    table = Table(box=box.SIMPLE, title=title, padding=(0, 1, 0, 0))
    table.add_column("file", no_wrap=True)
    for column in ("accuracy", "95% interval", "as Keras", "bytes", "ms"):
        table.add_column(column, justify="right")
    for row in found.rows:
        low, high = 100 * row.accuracy.low, 100 * row.accuracy.high
        table.add_row(
            row.file.name,
            f"{row.accuracy.value:.2%}",
            f"{low:.2f}-{high:.2f}",
            "-" if row.agreement is None else f"{row.agreement:.2%}",
            f"{row.file.stat().st_size:,}",
            f"{row.milliseconds:.3f}",
        )
    console.print(table)
    right = sum(reading.text == label for reading, label in found.readings)
    console.print(f"{right} of {len(found.readings)} example pictures read correctly", highlight=False)
    console.print(f"files:  {found.run.path}", highlight=False, soft_wrap=True)
    console.print(f"report: {found.report}", highlight=False, soft_wrap=True)
    program = _program()
    console.print("\nNext, on your own pictures:", highlight=False)
    for command in NEXT:
        console.print(f"  {program} {command}", highlight=False, markup=False, soft_wrap=True)


def _program() -> str:
    """Return the command to type: a path if `edgedigits` is not on PATH, as after `make demo`."""
    script = Path(sys.executable).with_name("edgedigits")
    if shutil.which("edgedigits") or not script.is_file():
        return "edgedigits"
    return str(script.relative_to(Path.cwd()) if script.is_relative_to(Path.cwd()) else script)
