"""Run an exported C folder on emulated microcontrollers: `python -m edgedigits.boards FOLDER`."""

from edgedigits.boards.board import BOARDS, Board
from edgedigits.boards.building import Built, DoesNotFit, Sizes, available, build
from edgedigits.boards.emulating import Ran, run
from edgedigits.boards.measuring import Comparison, Count, compare, count, footprint, passed, selftest

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
