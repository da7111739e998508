"""What a meter of energy is: sensors read together, what they measure, and which of them make the figure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from edgedigits.benchmarking.fingerprint.tree import Tree


@dataclass(frozen=True)
class Meter:
    """Sensors that tell what a machine takes.

    Attributes:
        name: a key of edgedigits.benchmarking.energy.METERS.
        scope: what is measured and what is not, in words for a reader.
        kind: whether `read` gives microjoules that are counted up, or watts of the moment.
        read: each channel's value now. Raises OSError or ValueError where a sensor does not answer as it should.
        channels: the names of what is read.
        total: those of them that are summed to the figure; the others are shown beside it.
        wraps_at: of counters, what each begins again after, in microjoules.
        interval_seconds: how often to read while measuring.
        least_seconds: the shortest time over which these sensors tell anything.
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
    """No energy can be told.

    Attributes:
        reason: why, in words for a reader.
        present: whether there are sensors, which cannot be used.
    """

    reason: str
    present: bool = False

    def to_dict(self) -> dict[str, object]:
        return {"available": False, "reason": self.reason}


def sensor(tree: Tree, path: str) -> int:
    """Return what a sensor's file holds now.

    Raises:
        OSError: it cannot be read.
        ValueError: it holds no whole number.
    """
    held = (tree.root / path).read_text(errors="replace").strip()
    if not re.fullmatch(r"-?[0-9]{1,20}", held):
        raise ValueError(f"/{path} holds {held[:40]!r}, no whole number")
    return int(held)
