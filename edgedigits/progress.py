"""The progress bar of all commands. It is drawn on a terminal only."""

import sys
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import ProgressColumn

WORTH_A_BAR = 20
"""Fewer pictures take too little time for a bar."""

Style = Literal["count", "bytes", "elapsed", "text"]


class ProgressBar:
    """A bar below the printed lines; a context manager starts and stops it.

    Attributes:
        drawn: whether the bar is drawn.
    """

    def __init__(
        self, description: str, total: float | None = None, *, style: Style = "count", console: "Console | None" = None,
        automatic: bool = True, at_least: int = 0,
    ) -> None:  # fmt: skip
        """Prepare the bar.

        Args:
            description: text beside the bar.
            total: number of steps, None if unknown.
            style: the count of steps, of bytes, the elapsed time, or only the text.
            console: where to draw; standard error if None.
            automatic: redraw from a thread; otherwise only update() redraws, so that no measurement is disturbed.
            at_least: draw nothing for a smaller total.
        """
        terminal = console.is_terminal if console else sys.stderr.isatty()
        self.drawn = terminal and (total is None or total >= at_least)
        self._automatic = automatic
        if not self.drawn:
            return
        from rich.console import Console
        from rich.progress import Progress

        self._progress = Progress(
            *_columns(style), console=console or Console(stderr=True), transient=True, auto_refresh=automatic,
            redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip
        self._task = self._progress.add_task(description, total=total)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Draw the bar."""
        if self.drawn:
            self._progress.start()

    def stop(self) -> None:
        """Remove the bar."""
        if self.drawn:
            self._progress.stop()

    def advance(self, steps: float = 1) -> None:
        """Count more steps."""
        if self.drawn:
            self._progress.advance(self._task, steps)

    def update(self, description: str | None = None, **values: Any) -> None:
        """Replace the description, `total` or `completed`."""
        if self.drawn:
            self._progress.update(self._task, description=description, refresh=not self._automatic, **values)

    def print(self, line: str, *, flush: bool = False) -> None:
        """Print a line on standard output, above the bar if both are on a terminal."""
        self._print_above(line) if self.drawn and sys.stdout.isatty() else print(line, flush=flush)

    def print_error(self, line: str, color: str = "red") -> None:
        """Print a line on standard error, above the bar."""
        # Standard output may be buffered; this keeps the order of both streams.
        sys.stdout.flush()
        if self.drawn:
            self._print_above(line, color)
        else:
            import typer

            typer.secho(line, err=True, fg=color)

    def _print_above(self, line: str, style: str = "") -> None:
        from rich.text import Text

        self._progress.console.print(Text(line, style), soft_wrap=True, highlight=False)


def _columns(style: Style) -> "list[ProgressColumn]":
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    text = TextColumn("{task.description}", markup=False)
    if style == "text":
        return [text]
    if style == "elapsed":
        return [BarColumn(24), TimeElapsedColumn(), text]
    return [text, BarColumn(), DownloadColumn() if style == "bytes" else MofNCompleteColumn(), TimeRemainingColumn()]
