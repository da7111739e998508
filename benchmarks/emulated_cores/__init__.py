"""Run an exported C folder on emulated microcontrollers: `python -m benchmarks.emulated_cores FOLDER`."""

from benchmarks.emulated_cores.board import BOARDS, Board
from benchmarks.emulated_cores.building import Built, DoesNotFit, Sizes, available, build
from benchmarks.emulated_cores.emulating import Ran, run
from benchmarks.emulated_cores.measuring import Comparison, Count, compare, count, footprint, passed, selftest

__all__ = [
    "BOARDS",
    "Board",
    "Built",
    "Comparison",
    "Count",
    "DoesNotFit",
    "Ran",
    "Sizes",
    "available",
    "build",
    "compare",
    "count",
    "footprint",
    "passed",
    "run",
    "selftest",
]
