"""`edgedigits bench compare`, `plot` and `index`: results side by side, as pictures, and as a page of boards."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from edgedigits.benchmarking.results.comparing import Comparison

COMPARE_EXAMPLES = "Examples: edgedigits bench compare pi4.json pi5.json · edgedigits bench compare *.json --all"
PLOT_EXAMPLES = "Examples: edgedigits bench plot pi4.json · edgedigits bench plot pi4.json pi5.json --out plots"
INDEX_EXAMPLES = "Example: edgedigits bench index benchmarks/results/boards"

Files = Annotated[list[Path], typer.Argument(metavar="A.json B.json ...", help="Results of edgedigits bench.")]


def compare(
    files: Files,
    everything: Annotated[bool, typer.Option("--all", help="Print every figure and every difference.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print --all as Markdown, for an issue.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Compare results with the first: which is faster, by how much, and whether the two can be compared.

    Different workloads are an error, different machines a warning.
    """
    from dataclasses import asdict

    from edgedigits.benchmarking.results import comparing

    found = comparing.compare(read_all(files))
    if as_json:
        typer.echo(json.dumps(asdict(found)))
    elif markdown:
        typer.echo("\n".join(comparing.as_markdown(found)))
    else:
        _print(found, everything)


def plot(
    files: Files,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the pictures and the page.")] = Path("bench"),
) -> None:
    """Draw results: each picture as PNG and SVG, and all of them as one page."""
    from edgedigits.benchmarking.results.plot_page import plot as draw

    typer.echo(draw(read_all(files), out))


def index(
    folder: Annotated[Path, typer.Argument(help="Folder of result files; README.md is written there.")],
    check: Annotated[bool, typer.Option("--check", help="Only check whether README.md is up to date.")] = False,
) -> None:
    """Make the page of all boards from the result files of a folder."""
    from edgedigits.benchmarking.results.boards_page import boards_page
    from edgedigits_runtime.errors import ResultInvalid
    from edgedigits_runtime.whole_files import write_whole

    page, path = boards_page(folder), folder / "README.md"
    if not check:
        typer.echo(write_whole(path, page))
    elif not path.is_file() or path.read_text("utf-8") != page:
        raise ResultInvalid(f"{path} is not up to date with the files beside it; run: edgedigits bench index {folder}")


def read_all(files: list[Path]) -> dict[str, dict[str, Any]]:
    """Read results by file name, or by path where two names are equal; a repeated file counts once.

    Raises:
        ResultError: one of them cannot be used.
    """
    from edgedigits.benchmarking.results.result_file import read_result

    different = list(dict.fromkeys(files))
    stems = [path.stem for path in different]
    names = [path.stem if stems.count(path.stem) == 1 else str(path) for path in different]
    return {name: read_result(path) for name, path in zip(names, different, strict=True)}


def _print(found: "Comparison", everything: bool) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from edgedigits.benchmarking.results import comparing

    console = Console(highlight=False)
    if not everything:
        for number, line in enumerate(comparing.summary(found)):
            style = "bold" if number == 1 else "yellow" if " not compl" in line or " not comparable" in line else ""
            console.print(Text(line, style), no_wrap=True, overflow="ellipsis")
        return
    console.print(found.workload, markup=False)
    for warning in found.warnings:
        console.print(f"warning: {warning}", style="yellow", markup=False)
    # A table for each, because a terminal is too narrow for several beside each other.
    for pair in comparing.pairs(found):
        table = Table(*comparing.comparison_head(pair), box=box.SIMPLE, padding=(0, 1, 0, 0))
        for column in table.columns[1:4]:
            column.justify = "right"
        for row in comparing.comparison_rows(pair):
            table.add_row(*row)
        console.print(table)
