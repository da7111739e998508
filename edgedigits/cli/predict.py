"""`edgedigits predict`: read pictures."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, nullcontext
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgedigits.cli import model_options as common

if TYPE_CHECKING:
    from edgedigits.predicting.drawings import Drawings
    from edgedigits.predicting.pictures import Outcome, Task
    from edgedigits.predicting.text import Output
    from edgedigits.progress import ProgressBar

EXAMPLES = (
    "Examples: edgedigits predict photo.jpg · edgedigits predict scans/ --csv > read.csv · "
    "edgedigits predict photo.jpg --explain why/ · cat a.png | edgedigits predict -"
)

MANY = 200
"""Pictures from which on a process for each core is faster despite its start."""

NAMES_AHEAD = 1000
"""Names read ahead to choose the width of the table's first column."""

Formatter = Callable[["Outcome"], "Output"]


def predict(
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE...", help="Files, folders, patterns, or - for standard input.")
    ],
    expect: common.Expect = "auto",
    length: common.Length = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV: a heading, then one row a picture.")] = False,
    annotate: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write each picture with its boxes and values to this folder."),
    ] = None,
    explain: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a sheet with every stage to this folder.")
    ] = None,
    model: common.Model = "base",
    min_confidence: common.MinConfidence = None,
    finder: common.Finder = "none",
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Print the engine and the time of each stage to standard error."),
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Number of processes.", show_default="1, every core for hundreds of pictures"),
    ] = None,
    top_k: common.TopK = 3,
    show_input: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the crops that the network received to this folder.")
    ] = None,
    dump_input: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write what the network received of each digit: raw bytes, and a C array."),
    ] = None,
    max_pixels: common.MaxPixels = None,
    engine: common.Engine = None,
    device: common.Device = "auto",
    threads: common.Threads = 1,
    kernels: common.Kernels = "auto",
    cores: common.Cores = None,
    isolate: common.Isolate = False,
) -> None:
    """Read the digits in each picture: one digit, a number, a page of numbers, or none."""
    from edgedigits.predicting.pictures import ReaderOptions, Task, map_here, unchanged
    from edgedigits.predicting.text import CSV_COLUMNS, format_csv, format_json
    from edgedigits_runtime.machine import core_count
    from edgedigits_runtime.sources.files import expand

    if as_json and as_csv:
        raise typer.BadParameter("give --json or --csv, not both")
    drawings_of = _drawings(annotate, show_input, explain, dump_input)
    options = ReaderOptions(
        model, engine, device, common.engine_options(threads, kernels, cores, isolate), min_confidence,
        max_pixels, top_k, expect, length, finder,
    )  # fmt: skip
    tasks = (Task(source, drawings_of(source.name)) for source in expand(sources))
    ahead = list(islice(tasks, MANY if jobs is None else 2))
    several = len(ahead) > 1
    formatter: Formatter = format_csv if as_csv else format_json if as_json else _format_text
    if formatter is _format_text and several and sys.stdout.isatty():
        ahead += islice(tasks, NAMES_AHEAD)
        formatter = _table(ahead)
    jobs = jobs or (core_count() if len(ahead) >= MANY else 1)
    mapped = map_here
    if jobs > 1:
        # Its imports take longer than reading a picture.
        from edgedigits.predicting.pool import map_outcomes

        mapped = partial(map_outcomes, jobs=jobs)
    with _bar(sources) if several else nullcontext() as bar:
        heading, all_tasks = ",".join(CSV_COLUMNS) if as_csv else "", chain(ahead, tasks)
        if (as_csv or as_json) and not verbose:
            # Formatted in the reading process: lines are cheaper to send than readings.
            with closing(mapped(formatter, all_tasks, options)) as blocks:
                failed = _print_all(blocks, heading, bar)
        else:
            with closing(mapped(unchanged, all_tasks, options)) as read:
                outcomes = chain.from_iterable(read)
                shown = _log_stages(outcomes) if verbose else outcomes
                failed = _print_all(((formatter(outcome),) for outcome in shown), heading, bar)
    if failed:
        raise typer.Exit(1)


def _drawings(*folders: Path | None) -> Callable[[str], "Drawings | None"]:
    if not any(folders):
        return lambda _: None
    from edgedigits.predicting.drawings import DrawingFolders

    return DrawingFolders(*folders).drawings_of


def _bar(sources: list[str]) -> "ProgressBar":
    """Return a bar for many pictures; folders are listed, no picture is opened."""
    from edgedigits.progress import WORTH_A_BAR, ProgressBar
    from edgedigits_runtime.sources.files import STANDARD_INPUT, expand

    total = 0
    if sys.stderr.isatty():
        # Standard input is one picture; expand would read it.
        named = [source for source in sources if source != STANDARD_INPUT]
        total = len(sources) - len(named) + sum(1 for _ in expand(named))
    return ProgressBar("reading", total, at_least=WORTH_A_BAR)


def _print_all(blocks: Iterable[Sequence["Output"]], heading: str, bar: "ProgressBar | None") -> bool:
    """Print each block as it comes; return whether a picture could not be read."""
    from edgedigits.predicting.text import printable

    failed = False
    if heading:
        typer.echo(heading)
    for block in blocks:
        for output in block:
            failed |= output.failed
            for line in output.lines:
                bar.print(line) if bar else print(line)
            if output.error:
                # Standard output may be buffered; this keeps the order of both streams.
                sys.stdout.flush()
                error = f"error: {printable(output.error)}"
                bar.print_error(error) if bar else typer.secho(error, err=True, fg=typer.colors.RED)
            if bar:
                bar.advance()
        sys.stdout.flush()
    return failed


def _log_stages(outcomes: Iterator["Outcome"]) -> Iterator["Outcome"]:
    """Print the engine when it changes, and the time of each stage, to standard error."""
    from edgedigits.predicting.text import engine_line, stages_line

    last = ""
    for outcome in outcomes:
        if outcome.reading is not None:
            line = engine_line(outcome.reading)
            if line != last:
                typer.echo(line, err=True)
                last = line
            typer.echo(stages_line(outcome.reading), err=True)
        yield outcome


def _format_text(outcome: "Outcome") -> "Output":
    """Return one line; on a terminal, the digits of a number follow as a table."""
    from edgedigits.predicting.text import Output, digit_table, printable, reading_line

    reading = outcome.reading
    if reading is None:
        return Output(error=outcome.error, failed=True)
    if len(reading.digits) < 2 or not sys.stdout.isatty():
        return Output((reading_line(reading),))
    lines = reading.text.splitlines()
    if len(lines) == 1:
        return Output((reading_line(reading), *digit_table(reading)))
    return Output((f"{printable(reading.source)}:", *(f"  {line}" for line in lines), *digit_table(reading)))


def _table(ahead: "list[Task]") -> Formatter:
    import shutil

    from edgedigits.predicting.text import Output, PictureTable

    table = PictureTable.for_names([task.source.name for task in ahead], shutil.get_terminal_size().columns)
    heading = [table.heading()]

    def rows(outcome: "Outcome") -> Output:
        if outcome.reading is None:
            return Output(error=outcome.error, failed=True)
        head = [heading.pop()] if heading else []
        return Output((*head, *table.rows(outcome.reading)))

    return rows
