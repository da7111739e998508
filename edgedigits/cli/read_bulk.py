"""`edgedigits read-bulk`: read millions of pictures, on this machine or on a Ray cluster."""

import os
import time
from typing import TYPE_CHECKING, Annotated

import typer

from edgedigits.cli import model_options as common

if TYPE_CHECKING:
    from edgedigits.bulk.parts import Summary

EXAMPLES = (
    "Examples: edgedigits read-bulk scans/ --out read/ · edgedigits read-bulk s3://forms/2026/ --out s3://forms/read"
    " --address auto · edgedigits read-bulk 'shards/*.tar' --out read/ --resume"
)


def read_bulk(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Folders, patterns, pictures, .parquet files, .tar shards; also s3:// and other fsspec addresses.",
        ),
    ],
    out: Annotated[
        str, typer.Option(metavar="DIR", help="Folder or address for the Parquet parts.", show_default=False)
    ],
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out.")] = False,
    address: Annotated[
        str | None,
        typer.Option(
            help="Read on Ray: auto, HOST:PORT or ray://HOST:PORT is a cluster; local starts it here.",
            show_default="this machine, without Ray",
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Number of readers.", show_default="one for each processor core")
    ] = None,
    expect: common.Expect = "auto",
    length: common.Length = None,
    model: common.Model = "base",
    min_confidence: common.MinConfidence = None,
    finder: common.Finder = "none",
    column: Annotated[
        str | None,
        typer.Option(help="Column of .parquet files with bytes or paths.", show_default="the only one possible"),
    ] = None,
    part_size: Annotated[
        int | None, typer.Option(min=1, help="Pictures of a part.", show_default="256 to 10,000, by their number")
    ] = None,
    max_pixels: common.MaxPixels = None,
    engine: common.Engine = None,
    device: common.Device = "auto",
) -> None:
    """Read millions of pictures into Parquet, here or on a Ray cluster; can be interrupted and resumed."""
    from edgedigits.bulk.bulk_options import BulkOptions
    from edgedigits.bulk.bulk_reading import read_bulk as read_pictures
    from edgedigits.predicting.pictures import ReaderOptions
    from edgedigits_runtime.engine_options import EngineOptions

    # There is a worker for each core.
    one_core = EngineOptions(threads=1, workers=1)
    reading = ReaderOptions(
        model, engine, device, one_core, min_confidence, max_pixels, expect=expect, length=length, finder=finder
    )
    options = BulkOptions(tuple(sources), out, reading, address, resume, workers, column, part_size)
    with _Bar() as bar:
        total = read_pictures(options, bar)
    _print(total, out, bar)
    if total.broken:
        raise typer.Exit(1)


class _Bar:
    """A progress bar that also measures the rate."""

    def __init__(self) -> None:
        from rich.console import Console

        from edgedigits.progress import ProgressBar

        # Standard error is discarded while Ray starts; a copy of it stays open for the bar.
        self._file = os.fdopen(os.dup(2), "w")
        self._bar = ProgressBar("reading", console=Console(file=self._file))
        self._began: float | None = None
        self.count = self.seconds = 0.0

    def __enter__(self) -> "_Bar":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
        self._file.close()

    def stage(self, name: str) -> None:
        from edgedigits.bulk.bulk_options import STARTING_READERS

        self._bar.update(name)
        if name == STARTING_READERS:
            self._began, self.count = time.monotonic(), 0

    def set_total(self, pictures: int | None) -> None:
        self._bar.update(total=pictures)

    def advance(self, steps: float = 1) -> None:
        self._bar.advance(steps)
        self.count += steps
        if self._began is not None:
            self.seconds = time.monotonic() - self._began


def _print(total: "Summary", out: str, bar: _Bar) -> None:
    from edgedigits.predicting.text import printable

    rate = f" in {bar.seconds:,.1f} s, {bar.count / bar.seconds:,.0f} a second" if bar.seconds else ""
    now = f" ({bar.count:,.0f} of them now)" if bar.count != total.pictures else ""
    typer.echo(f"{total.pictures:,} pictures in {out}{now}{rate}")
    typer.echo(
        f"{total.pictures - total.failed:,} read, {total.blank:,} of them without a digit; {total.failed:,} errors"
    )
    for kind, count in total.errors.most_common():
        typer.echo(f"  {count:,} {kind}, such as: {printable(total.examples[kind])}")
    for line in total.broken:
        typer.secho(f"error: {printable(line)}", err=True, fg=typer.colors.RED)
