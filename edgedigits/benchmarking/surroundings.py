"""The machine around a run: looked at before it, between its parts and after it, and judged."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgedigits.benchmarking.comparable import comparable
from edgedigits.benchmarking.fingerprint import Course, fingerprint, snapshot
from edgedigits.benchmarking.fingerprint.conditions import Conditions
from edgedigits_runtime.engines import probe_engines

Save = Callable[[str, Any], object]
"""Is given each section's name and content; a section may be given again, more of it each time."""


class Surroundings:
    """What a result says of the machine; made right before the run.

    Args:
        save: takes "fingerprint" and "comparable", each time with all that was seen so far.
        root: of the files in which the machine tells of itself.
    """

    def __init__(self, save: Save, root: Path = Path("/")) -> None:
        self._save, self._root = save, root
        self._machine = fingerprint(root, engines=probe_engines())
        self._before = snapshot(root)
        self._during: list[Conditions] = []
        self._save("fingerprint", {**self._machine.to_dict(), "before": self._before.to_dict()})

    def look(self) -> Conditions:
        """Look at the machine between two parts of the run, and return what was seen."""
        seen = snapshot(self._root)
        self._during.append(seen)
        self._judge(seen)
        return seen

    def finish(self) -> None:
        """Look at the machine after the run, with its child processes waited for."""
        self._judge(snapshot(self._root))

    def _judge(self, after: Conditions) -> None:
        course = Course(self._before, tuple(self._during), after)
        self._save("fingerprint", {**self._machine.to_dict(), **course.to_dict()})
        self._save("comparable", comparable(self._machine, course).to_dict())
