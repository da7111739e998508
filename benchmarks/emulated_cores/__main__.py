"""`python -m benchmarks.emulated_cores FOLDER`: run an exported folder on emulated cores and print a table."""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.emulated_cores.building import DoesNotFit, Sizes, available
from benchmarks.emulated_cores.cores import CORES, Core
from benchmarks.emulated_cores.measuring import Count, count, footprint, passed, selftest
from edgedigits_runtime.errors import ArtifactNotFound, EdgedigitsError, UnknownName

FILES = ("digits.h", "digits.c", "digits_selftest.c")
AVR_MEGAHERTZ = 16
WIDTH = 135
CAPTION = (
    "Bytes. Flash: the classifier with its constants and the library routines that it calls. "
    "RAM: scratch, stack, the result and, except on an AVR, the picture. Instructions: of one inference, not cycles."
)


@dataclass(frozen=True)
class Outcome:
    """The result on one core; `problem` is the reason where there is none."""

    core: Core
    passed: bool = False
    problem: str = ""
    sizes: Sizes | None = None
    count: Count | None = None


def run_on(folder: Path, core: Core, optimisation: str = "") -> Outcome:
    """Build and run a folder on one core; errors become the `problem` of the result."""
    if reason := available(core):
        return Outcome(core, problem=reason)
    try:
        sizes, counted = footprint(folder, core, optimisation), count(folder, core, optimisation)
        return Outcome(core, passed(selftest(folder, core, optimisation)), "", sizes, counted)
    except DoesNotFit as error:
        # A model may be too large for an Arduino Uno.
        return Outcome(core, passed=True, problem=str(error))
    except EdgedigitsError as error:
        return Outcome(core, problem=str(error))


def row(outcome: Outcome) -> list[str]:
    """Return a row of the table."""
    if outcome.sizes is None or outcome.count is None:
        return [outcome.core.title, "does not fit" if outcome.passed else "not run"]
    sizes, counted = outcome.sizes, outcome.count
    numbers = (sizes.flash, sizes.constants, counted.scratch, counted.stack, sizes.ram + counted.stack)
    verdict = "pass" if outcome.passed else "FAIL"
    return [outcome.core.title, verdict, *(f"{value:,}" for value in numbers), _taken(outcome.core, counted)]


def _taken(core: Core, counted: Count) -> str:
    if counted.predict is None:
        return "-"
    if core.unit == "cycles":
        return f"{counted.predict:,} cycles, {counted.predict / AVR_MEGAHERTZ / 1000:,.0f} ms"
    return f"{counted.predict:,}"


def make_table(outcomes: list[Outcome], folder: Path) -> Table:
    """Return the table of all cores."""
    table = Table("core", "self-test", box=box.SIMPLE, title=f"{folder.name} on emulated cores", caption=CAPTION)
    for name in ("flash", "constants in it", "scratch", "stack", "RAM", "instructions"):
        table.add_column(name, justify="right")
    for outcome in outcomes:
        table.add_row(*row(outcome))
    return table


def _chosen(names: list[str]) -> list[Core]:
    for name in names:
        if name not in CORES:
            raise UnknownName("core", name, CORES)
    return [CORES[name] for name in names or CORES]


def main() -> int:
    """Run the folder on the cores; 0 if each passes, or is too small for the model."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.emulated_cores", description=__doc__)
    parser.add_argument("folder", type=Path, help="written by edgedigits export --format c")
    parser.add_argument("--cores", nargs="+", default=[], metavar="CORE", help=f"of {', '.join(CORES)}; default: all")
    parser.add_argument("--optimisation", default="", help="of the compiler, such as -Os; default: by core")
    options = parser.parse_args()
    try:
        cores = _chosen(options.cores)
        for name in FILES:
            if not (options.folder / name).is_file():
                raise ArtifactNotFound(
                    f"{options.folder} has no {name}; make the folder with: edgedigits export MODEL --format c"
                )
    except EdgedigitsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    outcomes = [run_on(options.folder, core, options.optimisation) for core in cores]
    # A narrow console would cut off numbers.
    Console(width=max(WIDTH, Console().width)).print(make_table(outcomes, options.folder))
    for outcome in outcomes:
        if outcome.problem:
            print(outcome.problem)
    return 0 if all(outcome.passed for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
