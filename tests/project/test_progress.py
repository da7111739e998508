"""The progress bar: drawn on terminals only, below the printed lines."""

import io

import pytest
from rich.console import Console

from edgedigits.progress import ProgressBar, Style


def draw(style: Style, *, automatic: bool = False, terminal: bool = True) -> str:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=100)
    with ProgressBar("[files]", 4, style=style, console=console, automatic=automatic) as bar:
        bar.advance(2)
        bar.update("[more files]", completed=3)
        bar.update(total=5)
    return file.getvalue()


@pytest.mark.parametrize(
    ("style", "count"), [("count", "3/5"), ("bytes", "3/5 bytes"), ("elapsed", "0:00:00"), ("text", "[more files]")]
)
def test_bar_shows_description_and_count(style: Style, count: str) -> None:
    drawn = draw(style)
    assert count in drawn and "[more files]" in drawn


def test_bar_draws_nothing_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert draw("count", terminal=False) == ""
    with ProgressBar("files") as bar:
        bar.advance()
        bar.print("line")
        bar.print_error("error: reason")
    assert not bar.drawn and capsys.readouterr() == ("line\n", "error: reason\n")


def test_small_total_draws_nothing() -> None:
    console = Console(file=io.StringIO(), force_terminal=True)
    assert not ProgressBar("files", 19, console=console, at_least=20).drawn
    assert ProgressBar("files", 20, console=console, at_least=20).drawn


def test_errors_are_printed_above_the_bar() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=40)
    with ProgressBar("files", 4, console=console, automatic=False) as bar:
        bar.print_error("error: [a.png] " + 60 * "x")
    assert f"error: [a.png] {60 * 'x'}" in console.file.getvalue()  # type: ignore[attr-defined]
