"""Cold start: from the start of a process to its first reading, part by part, in fresh processes.

Files come from the system's cache after the first of them, whose times are counted like the others.
"""

import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from edgedigits.benchmarking.measuring.clock import check_forward
from edgedigits.benchmarking.measuring.fresh_process import Setup, first_reading
from edgedigits.benchmarking.measuring.stages import milliseconds
from edgedigits.benchmarking.measuring.statistics import Summary, summarise

MOMENTS = ("spawned", "started", "imported", "loaded", "read")
PARTS = ("process", "import", "load", "first")
"""What lies between two moments: Python's own start, importing, loading the model, reading the first picture."""

LEAST, MOST = 3, 10


@dataclass
class ColdStart:
    """The parts of each start so far.

    Attributes:
        starts: nanoseconds of each part, by start.
    """

    starts: list[tuple[int, ...]]

    def to_dict(self) -> dict[str, object]:
        """Return "repeats" and each part's Summary in milliseconds, "total" last."""
        if not self.starts:
            return {"repeats": 0}
        parts = np.array(self.starts)
        of_each = {name: summarise(milliseconds(parts[:, k])) for k, name in enumerate(PARTS)}
        total: Summary = summarise(milliseconds(parts.sum(axis=1)))
        return {"repeats": len(self.starts), **of_each, "total": total}


def measure_cold_start(setup: Setup, picture: Path, into: ColdStart, seconds: float) -> None:
    """Start processes for `seconds`, at least LEAST and at most MOST of them.

    Raises:
        EngineDied: one of them failed.
        ClockError: the clock stepped backwards.
    """
    begun = time.perf_counter()
    while len(into.starts) < LEAST or (len(into.starts) < MOST and time.perf_counter() - begun < seconds):
        found = first_reading(setup, (picture,))
        parts = tuple(found[later] - found[sooner] for sooner, later in pairwise(MOMENTS))
        check_forward(min(parts))
        into.starts.append(parts)
