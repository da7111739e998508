"""A line at the end of the terminal that tells how a live reading goes; without a terminal, a log now and then."""

import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from edgedigits_runtime.live.meter import Meter

CLEAR = "\r\x1b[K"

SHOWN_EVERY, LOGGED_EVERY = 0.25, 10.0
"""Seconds between two states of the line, and between two lines of a log."""


class StatusLine:
    """What stands on standard error while standard output gets the answers."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._next = 0.0 if self._terminal else LOGGED_EVERY
        self._shown = False

    def print(self, line: str) -> None:
        """Print an answer, above the line."""
        self.clear()
        print(line, flush=True)

    def say(self, line: str) -> None:
        """Say something that a person should know, above the line."""
        self.clear()
        sys.stdout.flush()
        typer.secho(line, err=True, fg=typer.colors.YELLOW)

    def update(self, meter: "Meter", text: str, time: float) -> None:
        """Tell how it goes, where it is time to.

        Args:
            meter: the counts.
            text: the answer that holds.
            time: seconds since the beginning.
        """
        if time < self._next:
            return
        self._next = time + (SHOWN_EVERY if self._terminal else LOGGED_EVERY)
        line = f"{state(meter)} | {' / '.join(text.splitlines()) or 'no digit'}"
        if self._terminal:
            self._shown = True
            sys.stderr.write(f"{CLEAR}{line}")
            sys.stderr.flush()
        else:
            typer.echo(f"{time:.1f} s: {line}", err=True)

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            self._shown = False
            sys.stderr.write(CLEAR)
            sys.stderr.flush()


def state(meter: "Meter") -> str:
    """Return rates, age and drops in words."""
    fps, reads = meter.rates()
    return f"{fps:.1f} frames/s, {reads:.1f} read/s, age {meter.age:.0f} ms, {meter.dropped} passed over"


def summary(meter: "Meter", seconds: float, connections: int) -> str:
    """Return one line on all of a live reading."""
    median, most = meter.ages()
    again = f", connected {connections} times" if connections > 1 else ""
    rate = meter.read / seconds if seconds else 0.0
    return (
        f"watched {seconds:.1f} s: {meter.captured} frames, {meter.read} read ({rate:.1f} a second),"
        f" {meter.dropped} passed over, age {median:.0f} ms, at most {most:.0f} ms{again}"
    )
