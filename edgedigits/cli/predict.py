"""`edgedigits predict`: read pictures."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
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
    Isolate,
    Kernels,
    MinConfidence,
    Model,
    Threads,
    engine_options,
)
from edgedigits.progress import WORTH_A_BAR, ProgressBar

if TYPE_CHECKING:
    from edgedigits.predicting.drawings import Drawings
    from edgedigits.predicting.pictures import Outcome, Task
    from edgedigits.predicting.text import Printed

EXAMPLES = (
    "Examples: edgedigits predict photo.jpg · edgedigits predict scans/ --csv > read.csv · "
    "edgedigits predict photo.jpg --explain why/ · cat a.png | edgedigits predict -"
)

MANY = 200
"""From so many pictures on, starting a process for each core is soon made up for."""

NAMES_AHEAD = 1000
"""Names that are looked at for the width of the table's first column."""

Show = Callable[["Outcome"], "Printed"]


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
    isolate: Isolate = False,
    expect: Annotated[
        Expect,
        typer.Option(help="What stands in a picture: one digit, one line of digits, several lines, or find out."),
    ] = "auto",
    length: Annotated[int | None, typer.Option(min=1, help="How many digits there are, where you know it.")] = None,
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
    from edgedigits.predicting.pictures import ReaderOptions, Task, read_all, tell_all
    from edgedigits.predicting.text import CSV_COLUMNS, printed_csv, printed_json
    from edgedigits_runtime.sources.files import expand

    if as_json and as_csv:
        raise typer.BadParameter("give --json or --csv, not both")
    drawings_of = _drawings(annotate, show_input, explain)
    options = ReaderOptions(
        model, engine, device, engine_options(threads, kernels, cores, isolate), contract, min_confidence, max_pixels,
        top_k=top_k, expect=expect, length=length,
    )  # fmt: skip
    tasks = (Task(source, drawings_of(source.name)) for source in expand(sources))
    ahead = list(islice(tasks, MANY if jobs is None else 2))
    several = len(ahead) > 1
    show: Show = printed_csv if as_csv else printed_json if as_json else _text
    if show is _text and several and sys.stdout.isatty():
        ahead += islice(tasks, NAMES_AHEAD)
        show = _table(ahead)
    jobs = jobs or _processes(len(ahead))
    with _bar(sources if several else []) as bar:
        if (as_csv or as_json) and not verbose:
            # Where a picture was read, its line is made: lines are quickly sent from one process to another.
            blocks = tell_all(chain(ahead, tasks), options, show, jobs)
        else:
            outcomes = read_all(chain(ahead, tasks), options, jobs)
            blocks = ((show(outcome),) for outcome in (_told(outcomes) if verbose else outcomes))
        failed = _print_all(blocks, ",".join(CSV_COLUMNS) if as_csv else "", bar)
    if failed:
        raise typer.Exit(1)


def _processes(pictures: int) -> int:
    """Return how many processes read, given how many pictures there are at least."""
    from edgedigits_runtime.machine import core_count

    return core_count() if pictures >= MANY else 1


def _drawings(*folders: Path | None) -> Callable[[str], "Drawings | None"]:
    if not any(folders):
        return lambda _: None
    from edgedigits.predicting.drawings import DrawingFolders

    return DrawingFolders(*folders).drawings_of


def _print_all(blocks: Iterable[Sequence["Printed"]], heading: str, bar: ProgressBar) -> bool:
    """Print each block as it comes; return whether one of the pictures could not be read."""
    from edgedigits.predicting.text import shown

    failed = False
    if heading:
        typer.echo(heading)
    for block in blocks:
        for printed in block:
            failed |= printed.failed
            for line in printed.lines:
                bar.print(line)
            if printed.error:
                bar.print_error(f"error: {shown(printed.error)}")
            bar.advance()
        sys.stdout.flush()
    return failed


def _told(outcomes: Iterator["Outcome"]) -> Iterator["Outcome"]:
    """Say before the first reading what reads, and with each how long it took."""
    from edgedigits.predicting.text import engine_line, stages_line

    said = ""
    for outcome in outcomes:
        if outcome.reading is not None:
            line = engine_line(outcome.reading)
            if line != said:
                typer.echo(line, err=True)
                said = line
            typer.echo(stages_line(outcome.reading), err=True)
        yield outcome


def _text(outcome: "Outcome") -> "Printed":
    """One line, as scripts take it; on a terminal the digits of a number as a table below it."""
    from edgedigits.predicting.text import Printed, digit_table, reading_line, shown

    reading = outcome.reading
    if reading is None:
        return Printed(error=outcome.error, failed=True)
    if len(reading.digits) < 2 or not sys.stdout.isatty():
        return Printed((reading_line(reading),))
    lines = reading.text.splitlines()
    if len(lines) == 1:
        return Printed((reading_line(reading), *digit_table(reading)))
    return Printed((f"{shown(reading.source)}:", *(f"  {line}" for line in lines), *digit_table(reading)))


def _table(ahead: "list[Task]") -> Show:
    import shutil

    from edgedigits.predicting.text import PictureTable, Printed

    table = PictureTable.for_names([task.source.name for task in ahead], shutil.get_terminal_size().columns)
    heading = [table.heading()]

    def rows(outcome: "Outcome") -> Printed:
        if outcome.reading is None:
            return Printed(error=outcome.error, failed=True)
        head = [heading.pop()] if heading else []
        return Printed((*head, *table.rows(outcome.reading)))

    return rows


def _bar(sources: list[str]) -> ProgressBar:
    """Return a bar for many pictures; folders are listed, no picture is opened."""
    from edgedigits_runtime.sources.files import STANDARD_INPUT, expand

    named = [source for source in sources if source != STANDARD_INPUT] if sys.stderr.isatty() else []
    return ProgressBar("reading", sum(1 for _ in expand(named)), at_least=WORTH_A_BAR)
