"""`edgedigits predict`: read pictures."""

import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgedigits.cli.model_options import (
    Contract,
    Cores,
    Device,
    Engine,
    Expect,
    Kernels,
    MinConfidence,
    Model,
    Threads,
    engine_options,
)

if TYPE_CHECKING:
    from edgedigits.bulk.drawings import Drawings
    from edgedigits.bulk.progress import ReadingProgress
    from edgedigits.bulk.reading import Outcome, Task

EXAMPLES = (
    "Examples: edgedigits predict photo.jpg · edgedigits predict scans/ --csv > read.csv · "
    "edgedigits predict photo.jpg --explain why/ · cat a.png | edgedigits predict -"
)

MANY = 200
"""From so many pictures on, starting a process for each core is soon made up for."""

NAMES_AHEAD = 1000
"""Names that are looked at for the width of the table's first column."""

Show = Callable[["Outcome"], list[str]]


def predict(
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE...", help="Files, folders, patterns, or - for standard input.")
    ],
    model: Model = "base",
    engine: Engine = None,
    device: Device = "auto",
    threads: Threads = 1,
    kernels: Kernels = "auto",
    cores: Cores = None,
    expect: Annotated[
        Expect,
        typer.Option(help="What stands in a picture: one digit, one line of digits, several lines, or find out."),
    ] = "auto",
    length: Annotated[int | None, typer.Option(min=1, help="How many digits a number has, where you know it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="A heading, then one row a picture.")] = False,
    annotate: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write each picture with boxes, values and confidences here.")
    ] = None,
    show_input: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write what the network saw, the framed crops, here.")
    ] = None,
    explain: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write every stage on one sheet here: why was this misread?")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="How many processes read.", show_default="1, every core for hundreds of pictures"),
    ] = None,
    top_k: Annotated[int, typer.Option(min=1, help="How many labels to list for a digit.")] = 3,
    min_confidence: MinConfidence = None,
    max_pixels: Annotated[int | None, typer.Option(min=1, help="Refuse pictures with more pixels.")] = None,
    contract: Contract = None,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Say on standard error what ran where, and how long each stage took."),
    ] = False,
) -> None:
    """Read the digits in each picture: one, a number, a page of them, or none."""
    from edgedigits.bulk.reading import ReaderOptions, Task, read_all
    from edgedigits_runtime.sources.files import expand

    if as_json and as_csv:
        raise typer.BadParameter("give --json or --csv, not both")
    drawings_of = _drawings(annotate, show_input, explain)
    options = ReaderOptions(
        model, engine, device, engine_options(threads, kernels, cores), contract, min_confidence, max_pixels,
        top_k=top_k, expect=expect, length=length,
    )  # fmt: skip
    tasks = (Task(source, drawings_of(source.name)) for source in expand(sources))
    ahead = list(islice(tasks, MANY if jobs is None else 2))
    several = len(ahead) > 1
    show: Show | None = _csv if as_csv else _json if as_json else None
    if show is None and several and sys.stdout.isatty():
        ahead += islice(tasks, NAMES_AHEAD)
        show = _table(ahead)
    with _bar(sources) if several and sys.stderr.isatty() else nullcontext() as bar:
        outcomes = read_all(chain(ahead, tasks), options, jobs or _processes(len(ahead)))
        failed = _print_all(_told(outcomes) if verbose else outcomes, show or _text, bar)
    if failed:
        raise typer.Exit(1)


def _processes(pictures: int) -> int:
    """Return how many processes read, given how many pictures there are at least."""
    from edgedigits_runtime.machine import core_count

    return core_count() if pictures >= MANY else 1


def _drawings(*folders: Path | None) -> Callable[[str], "Drawings | None"]:
    if not any(folders):
        return lambda _: None
    from edgedigits.bulk.drawings import DrawingFolders

    return DrawingFolders(*folders).drawings_of


def _print_all(outcomes: Iterator["Outcome"], show: Show, bar: "ReadingProgress | None") -> bool:
    """Print each outcome as it comes; say whether one of them was an error."""
    failed = False
    if show is _csv:
        from edgedigits.bulk.text import CSV_COLUMNS

        typer.echo(",".join(CSV_COLUMNS))
    for outcome in outcomes:
        failed |= outcome.reading is None
        for line in show(outcome):
            # A bar stands on the terminal's last line: what goes there has to be put above it.
            bar.print(line) if bar and sys.stdout.isatty() else typer.echo(line)
        if outcome.reading is None and show is not _json:
            _print_error(outcome, bar)
        if bar:
            bar.advance()
    return failed


def _told(outcomes: Iterator["Outcome"]) -> Iterator["Outcome"]:
    """Say before the first reading what reads, and with each how long it took."""
    from edgedigits.bulk.text import engine_line, stages_line

    said = ""
    for outcome in outcomes:
        if outcome.reading is not None:
            line = engine_line(outcome.reading)
            if line != said:
                typer.echo(line, err=True)
                said = line
            typer.echo(stages_line(outcome.reading), err=True)
        yield outcome


def _print_error(outcome: "Outcome", bar: "ReadingProgress | None") -> None:
    from edgedigits.bulk.text import shown

    # Standard output may be buffered; errors should stand where they happened.
    sys.stdout.flush()
    line = f"error: {shown(outcome.error)}"
    bar.print(line, "red") if bar else typer.secho(line, err=True, fg=typer.colors.RED)


def _json(outcome: "Outcome") -> list[str]:
    import json

    if outcome.reading is None:
        return [json.dumps({"source": outcome.name, "error": outcome.error})]
    return [json.dumps(outcome.reading.to_dict())]


def _csv(outcome: "Outcome") -> list[str]:
    import csv
    import io

    from edgedigits.bulk.text import csv_row

    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow(csv_row(outcome))
    return [row.getvalue()]


def _text(outcome: "Outcome") -> list[str]:
    """One line, as scripts take it; on a terminal the digits of a number as a table below it."""
    from edgedigits.bulk.text import digit_table, reading_line, shown

    reading = outcome.reading
    if reading is None:
        return []
    if len(reading.digits) < 2 or not sys.stdout.isatty():
        return [reading_line(reading)]
    lines = reading.text.splitlines()
    if len(lines) == 1:
        return [reading_line(reading), *digit_table(reading)]
    return [f"{shown(reading.source)}:", *(f"  {line}" for line in lines), *digit_table(reading)]


def _table(ahead: "list[Task]") -> Show:
    import shutil

    from edgedigits.bulk.text import PictureTable

    table = PictureTable.for_names([task.source.name for task in ahead], shutil.get_terminal_size().columns)
    heading = [table.heading()]

    def rows(outcome: "Outcome") -> list[str]:
        if outcome.reading is None:
            return []
        head = [heading.pop()] if heading else []
        return [*head, *table.rows(outcome.reading)]

    return rows


def _bar(sources: list[str]) -> "ReadingProgress | nullcontext[None]":
    from edgedigits.bulk.progress import count_pictures, progress_bar

    return progress_bar(count_pictures(sources))
