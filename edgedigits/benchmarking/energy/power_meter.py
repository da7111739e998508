"""The interface of energy meters: sensors that are read together, and which of them make up the figure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from edgedigits.machine.tree import Tree


@dataclass(frozen=True)
class Meter:
    """Sensors that measure a machine's energy.

    Attributes:
        name: a key of edgedigits.benchmarking.energy.METERS.
        scope: what is measured and what is not, for a reader.
        kind: whether `read` returns microjoules that are counted up, or the current watts.
        read: returns each channel's current value. Raises OSError or ValueError when a sensor fails.
        total: channels that are summed to the figure; the others are shown beside it.
        wraps_at: the microjoules at which each counter restarts from 0.
        interval_seconds: how often to read while measuring.
        least_seconds: the shortest time that these sensors can measure.
        skipped: sensors that could not be read, with the reason.
    """

    name: str
    scope: str
    kind: Literal["counter", "power"]
    read: Callable[[], Mapping[str, float]]
    channels: tuple[str, ...]
    total: tuple[str, ...]
    wraps_at: Mapping[str, float] = field(default_factory=dict)
    interval_seconds: float = 0.1
    least_seconds: float = 1.0
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class NoMeter:
    """Why energy cannot be measured; `present` if there are sensors, but unusable ones."""

    reason: str
    present: bool = False

    def to_dict(self) -> dict[str, object]:
        return {"available": False, "reason": self.reason}


def read_integer(tree: Tree, path: str) -> int:
    """Return a sensor's current value. Raises OSError, or ValueError if it is not a whole number."""
    content = (tree.root / path).read_text(errors="replace").strip()
    if not re.fullmatch(r"-?[0-9]{1,20}", content):
        raise ValueError(f"/{path} holds {content[:40]!r}, no whole number")
    return int(content)
