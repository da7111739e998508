"""`python -m benchmarks.emulated_cores FOLDER`: an exported folder on every board, in one table."""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.emulated_cores import (
    BOARDS,
    Board,
    Count,
    DoesNotFit,
    Sizes,
    available,
    count,
    footprint,
    passed,
    selftest,
)
from edgedigits_runtime.errors import ArtifactNotFound, EdgedigitsError, UnknownName

FILES = ("digits.h", "digits.c", "digits_selftest.c")
AVR_MEGAHERTZ = 16
WIDTH = 135
CAPTION = (
    "Bytes. Flash: the classifier with its constants and the library routines that it calls. "
    "RAM: scratch, stack, the result and, but on an AVR, the picture. Instructions: of one inference, not cycles."
)


@dataclass(frozen=True)
class Outcome:
    """What came of one board; `trouble` says why it did not run."""

    board: Board
    passed: bool = False
    trouble: str = ""
    sizes: Sizes | None = None
    count: Count | None = None


def run_on(folder: Path, board: Board, optimisation: str = "") -> Outcome:
    """Build and run all of it on one board; what a board cannot do is told, not raised."""
    if reason := available(board):
        return Outcome(board, trouble=reason)
    try:
        sizes, counted = footprint(folder, board, optimisation), count(folder, board, optimisation)
        return Outcome(board, passed(selftest(folder, board, optimisation)), "", sizes, counted)
    except DoesNotFit as error:
        # A model that is too large for an Arduino Uno is no fault.
        return Outcome(board, passed=True, trouble=str(error))
    except EdgedigitsError as error:
        return Outcome(board, trouble=str(error))


def row(outcome: Outcome) -> list[str]:
    """Return one line of the table."""
    if outcome.sizes is None or outcome.count is None:
        return [outcome.board.title, "does not fit" if outcome.passed else "not run"]
    sizes, counted = outcome.sizes, outcome.count
    numbers = (sizes.flash, sizes.constants, counted.scratch, counted.stack, sizes.ram + counted.stack)
    verdict = "pass" if outcome.passed else "FAIL"
    return [outcome.board.title, verdict, *(f"{value:,}" for value in numbers), _taken(outcome.board, counted)]


def _taken(board: Board, counted: Count) -> str:
    if counted.predict is None:
        return "-"
    if board.unit == "cycles":
        return f"{counted.predict:,} cycles, {counted.predict / AVR_MEGAHERTZ / 1000:,.0f} ms"
    return f"{counted.predict:,}"


def show(outcomes: list[Outcome], folder: Path) -> Table:
    """Return the table."""
    numbers = ("flash", "constants in it", "scratch", "stack", "RAM", "instructions")
    table = Table("board", "self-test", box=box.SIMPLE, title=f"{folder.name} on emulated boards", caption=CAPTION)
    for name in numbers:
        table.add_column(name, justify="right")
    for outcome in outcomes:
        table.add_row(*row(outcome))
    return table


def _chosen(names: list[str]) -> list[Board]:
    for name in names:
        if name not in BOARDS:
            raise UnknownName("board", name, BOARDS)
    return [BOARDS[name] for name in names or BOARDS]


def main() -> int:
    """Run the folder on the boards; 0 if all that could be expected of them is right."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.emulated_cores", description=__doc__)
    parser.add_argument("folder", type=Path, help="what edgedigits export --format c wrote")
    parser.add_argument("--boards", nargs="+", default=[], metavar="BOARD", help=f"of {', '.join(BOARDS)}; all if none")
    parser.add_argument("--optimisation", default="", help="of the compiler, such as -Os; each board's own if none")
    options = parser.parse_args()
    try:
        boards = _chosen(options.boards)
        for name in FILES:
            if not (options.folder / name).is_file():
                raise ArtifactNotFound(
                    f"{options.folder} has no {name}; make the folder with: edgedigits export MODEL --format c"
                )
    except EdgedigitsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    outcomes = [run_on(options.folder, board, options.optimisation) for board in boards]
    # Numbers that are cut off tell nothing, so the table is as wide as it needs to be.
    Console(width=max(WIDTH, Console().width)).print(show(outcomes, options.folder))
    for outcome in outcomes:
        if outcome.trouble:
            print(outcome.trouble)
    return 0 if all(outcome.passed for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
