"""A bar below what is printed, on a terminal, while many pictures are read."""

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

from edgedigits_runtime.sources.files import STANDARD_INPUT, expand

if TYPE_CHECKING:
    from rich.console import Console


WORTH_A_BAR = 20
"""Fewer pictures than this are read before a bar could be looked at."""


class ReadingProgress:
    """A bar on a terminal's standard error; lines printed through it stay above it."""

    def __init__(self, console: "Console", total: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            console=console, transient=True, redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip
        self._task = self._progress.add_task("reading", total=total)

    def __enter__(self) -> "ReadingProgress":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def advance(self) -> None:
        """Count one more picture."""
        self._progress.advance(self._task)

    def print(self, line: str, style: str | None = None) -> None:
        """Print a line above the bar, on the same terminal."""
        from rich.text import Text

        self._progress.console.print(Text(line, style or ""), soft_wrap=True, highlight=False)


def progress_bar(count: int) -> "ReadingProgress | nullcontext[None]":
    """Return a bar for `count` pictures, or nothing where they are few or standard error is no terminal."""
    if count < WORTH_A_BAR or not sys.stderr.isatty():
        return nullcontext()
    from rich.console import Console

    return ReadingProgress(Console(stderr=True), count)


def count_pictures(sources: list[str]) -> int:
    """Return how many pictures the sources name; folders are listed, no picture is opened."""
    return sum(1 if source == STANDARD_INPUT else sum(1 for _ in expand([source])) for source in sources)
