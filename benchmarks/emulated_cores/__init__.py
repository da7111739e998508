"""Run an exported folder of C on emulated cores: `python -m benchmarks.emulated_cores FOLDER`."""

from benchmarks.emulated_cores.building import Built, DoesNotFit, Sizes, available, build
from benchmarks.emulated_cores.cores import CORES, Core
from benchmarks.emulated_cores.emulating import Ran, run
from benchmarks.emulated_cores.measuring import Comparison, Count, compare, count, footprint, passed, selftest

__all__ = [
    "CORES",
    "Built",
    "Comparison",
    "Core",
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
