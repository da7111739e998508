"""The machine that a figure was measured on, told so that another one can be put beside it.

`fingerprint` is what stays the same, `snapshot` what changes from moment to moment, and `Course` puts together what
was so before, during and after a run. Everything reads beneath a `root`, and so recorded machines too. What a machine
does not tell is None; what it has but does not let be read is named in `skipped`.
"""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edgedigits.benchmarking.fingerprint.board import board_name
from edgedigits.benchmarking.fingerprint.conditions import Conditions, snapshot
from edgedigits.benchmarking.fingerprint.course import Course
from edgedigits.benchmarking.fingerprint.cpuinfo import architecture, parse_cpuinfo
from edgedigits.benchmarking.fingerprint.environment import Environment, find_environment
from edgedigits.benchmarking.fingerprint.processor import Processor, find_processor
from edgedigits.benchmarking.fingerprint.software import Software, find_software
from edgedigits.benchmarking.fingerprint.tree import REAL, Tree
from edgedigits_runtime.engines.engine import EngineReport

__all__ = ["Conditions", "Course", "Environment", "Fingerprint", "Processor", "Software", "fingerprint", "snapshot"]


@dataclass(frozen=True)
class Fingerprint:
    """What stays the same over a run.

    Attributes:
        board: its model; None where nothing names it.
        processor, software, environment: see their classes.
        skipped: what was there and could not be read, each with its reason.
    """

    board: str | None
    processor: Processor
    software: Software
    environment: Environment
    skipped: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        return {
            "board": self.board,
            "processor": self.processor.to_dict(),
            "software": self.software.to_dict(),
            "environment": self.environment.to_dict(),
            "skipped": list(self.skipped),
        }


def fingerprint(
    root: Path = REAL, *, machine: str | None = None, engines: Mapping[str, EngineReport] | None = None
) -> Fingerprint:
    """Look at the machine.

    Args:
        root: of the files in which it tells of itself.
        machine: the architecture that its system names; of a recorded machine that of its /proc/cpuinfo if None.
        engines: what edgedigits_runtime.engines.probe_engines said; not asked here, since it loads the libraries.
    """
    tree = Tree(root)
    if machine is None:
        info = parse_cpuinfo(tree.text("proc/cpuinfo") or "")
        machine = platform.machine() if root == REAL else architecture(info)
    environment = find_environment(tree, machine)
    return Fingerprint(
        board=board_name(tree),
        processor=find_processor(tree, machine, environment.emulator is not None),
        software=find_software(tree, engines or {}),
        environment=environment,
        skipped=tree.skipped,
    )
