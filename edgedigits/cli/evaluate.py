"""`edgedigits evaluate`: the accuracy on a folder of labelled pictures."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgedigits.cli import model_options as common

if TYPE_CHECKING:
    from edgedigits.verification.folder_evaluation import FolderEvaluation

EXAMPLES = (
    "Examples: edgedigits evaluate my-pictures/ · "
    'edgedigits evaluate my-pictures/ --exclude "hard to read" --json found.json --sheet misread.png'
)

STANDARD_OUTPUT = Path("-")


def evaluate(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER",
            help="A folder with labels.csv (file, label, optional kind and note) beside images/, or with one"
            " sub-folder per label; the sub-folder none holds pictures without a digit.",
        ),
    ],
    expect: Annotated[common.Expected, typer.Option(help="What every picture holds.")] = "auto",
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Draw the misread pictures on a sheet.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the result as JSON to this file; - prints it.")
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="WORD", help="Exclude pictures whose note contains this; repeatable."),
    ] = None,
    model: common.Model = "base",
    min_confidence: common.MinConfidence = None,
    finder: common.Finder = "none",
    jobs: Annotated[int, typer.Option(min=1, help="Number of processes; with several, each picture takes longer.")] = 1,
    engine: common.Engine = None,
    device: common.Device = "auto",
    threads: common.Threads = 1,
    kernels: common.Kernels = "auto",
    cores: common.Cores = None,
) -> None:
    """Read a folder of labelled pictures and report the accuracy, by kind, and the misread pictures."""
    from edgedigits.data.labelled_pictures import read_labelled
    from edgedigits.predicting.pictures import ReaderOptions
    from edgedigits.predicting.text import printable
    from edgedigits.progress import WORTH_A_BAR, ProgressBar
    from edgedigits.verification.evaluation_report import as_lines
    from edgedigits.verification.folder_evaluation import evaluate_pictures

    pictures = read_labelled(folder)
    options = ReaderOptions(
        model, engine, device, common.engine_options(threads, kernels, cores), min_confidence, expect=expect,
        finder=finder,
    )  # fmt: skip
    with ProgressBar("reading", len(pictures), at_least=WORTH_A_BAR) as bar:
        found = evaluate_pictures(pictures, options, exclude=exclude or (), jobs=jobs, progress=bar.advance)
    facts = {"folder": str(folder), "expect": expect, "excluded": exclude or [], "jobs": jobs}
    if json_file != STANDARD_OUTPUT:
        title = f"{folder}: {len(found.cases):,} pictures, {found.model} on {found.engine}, expecting {expect}"
        for line in (title, *as_lines(found)):
            typer.echo(printable(line))
    _write(found, facts, json_file, sheet)
    if found.unreadable:
        for case in found.unreadable:
            typer.secho(f"error: {printable(case.error)}", err=True, fg=typer.colors.RED)
        raise typer.Exit(1)


def _write(found: "FolderEvaluation", facts: dict[str, Any], json_file: Path | None, sheet: Path | None) -> None:
    from edgedigits_runtime.whole_files import whole_file, write_whole

    if json_file:
        from edgedigits.machine.fingerprint import describe_machine
        from edgedigits.verification.evaluation_report import to_dict

        text = json.dumps({**facts, **to_dict(found), "machine": describe_machine()}, indent=1)
        typer.echo(text) if json_file == STANDARD_OUTPUT else write_whole(json_file, text + "\n")
    if sheet:
        from edgedigits.reports.misread_sheet import misread_sheet

        title = f"{facts['folder']}: {len(found.misread)} of {len(found.cases)} not read right by {found.model}"
        with whole_file(sheet) as temporary:
            misread_sheet(found.misread, title).save(temporary, "PNG")
