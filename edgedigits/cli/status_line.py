"""The state of a live reading: the last line of a terminal, or a log line every ten seconds elsewhere."""

from typing import TYPE_CHECKING

import typer

from edgedigits.predicting.text import single_line
from edgedigits.progress import ProgressBar

if TYPE_CHECKING:
    from edgedigits_runtime.live.counters import Counters

UPDATE_SECONDS, LOG_SECONDS = 0.25, 10.0


class StatusLine:
    """Prints the state to standard error, and readings to standard output above it."""

    def __init__(self) -> None:
        self._bar = ProgressBar("", style="text", automatic=False)
        self._seconds = UPDATE_SECONDS if self._bar.drawn else LOG_SECONDS
        self._next = 0.0 if self._bar.drawn else LOG_SECONDS

    def __enter__(self) -> "StatusLine":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def print(self, line: str) -> None:
        """Print a reading."""
        self._bar.print(line, flush=True)

    def warn(self, line: str) -> None:
        """Print a notice to standard error."""
        self._bar.print_error(line, "yellow")

    def update(self, counters: "Counters", text: str, time: float) -> None:
        """Print the state if the last one is old enough.

        Args:
            counters: the counts.
            text: the current reading.
            time: seconds since the start.
        """
        if time < self._next:
            return
        self._next = time + self._seconds
        line = f"{state(counters)} | {single_line(text)}"
        self._bar.update(line) if self._bar.drawn else typer.echo(f"{time:.1f} s: {line}", err=True)


def state(counters: "Counters") -> str:
    """Return rates, age and dropped frames."""
    fps, reads = counters.rates()
    return f"{fps:.1f} frames/s, {reads:.1f} read/s, age {counters.age:.0f} ms, {counters.dropped} dropped"


def summary(counters: "Counters", seconds: float, connections: int) -> str:
    """Return one line about a finished live reading."""
    median, most = counters.ages()
    again = f", connected {connections} times" if connections > 1 else ""
    rate = counters.read / seconds if seconds else 0.0
    return (
        f"watched {seconds:.1f} s: {counters.captured} frames, {counters.read} read ({rate:.1f} a second),"
        f" {counters.dropped} dropped, age {median:.0f} ms, at most {most:.0f} ms{again}"
    )
