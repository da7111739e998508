"""The conditions at one moment: clocks, temperatures, throttling, load and power."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from edgedigits.benchmarking.fingerprint.clocks import Clocks, read_clocks
from edgedigits.benchmarking.fingerprint.heat import Throttling, processor_celsius, read_temperatures, read_throttling
from edgedigits.benchmarking.fingerprint.load import Load, read_load
from edgedigits.benchmarking.fingerprint.power import Power, read_power
from edgedigits.benchmarking.fingerprint.tree import REAL, Tree


@dataclass(frozen=True)
class Conditions:
    """What changes from moment to moment.

    Attributes:
        at_seconds: the monotonic clock; only differences mean anything.
        clocks, temperatures, throttling, load, power: see their modules. Temperatures are degrees Celsius by sensor.
        skipped: what was there and could not be read, each with its reason.
    """

    at_seconds: float
    clocks: Clocks
    temperatures: dict[str, float]
    throttling: Throttling
    load: Load
    power: Power
    skipped: tuple[str, ...] = ()

    @property
    def processor_celsius(self) -> float | None:
        """The processor's temperature; None where no sensor is known to be in it."""
        return processor_celsius(self.temperatures)

    def to_dict(self) -> dict[str, object]:
        return {
            "at_seconds": self.at_seconds,
            "clocks": self.clocks.to_dict(),
            "temperatures": dict(self.temperatures),
            "processor_celsius": self.processor_celsius,
            "throttling": self.throttling.to_dict(),
            "load": self.load.to_dict(),
            "power": self.power.to_dict(),
            "skipped": list(self.skipped),
        }


def snapshot(root: Path = REAL) -> Conditions:
    """Read the conditions as they are now.

    It takes milliseconds and cools the caches. While a run goes on, call it between blocks of work and right after
    one, when the cores still run as they did: a thread beside the work would show in the times themselves.
    """
    tree = Tree(root)
    load = read_load(tree)
    if load.averages is None and root == REAL and hasattr(os, "getloadavg"):
        load = Load(_averages(), load.ticks, load.quota_stops)
    return Conditions(
        at_seconds=time.monotonic(),
        clocks=read_clocks(tree),
        temperatures=read_temperatures(tree),
        throttling=read_throttling(tree),
        load=load,
        power=read_power(tree),
        skipped=tree.skipped,
    )


def _averages() -> tuple[float, float, float] | None:
    try:
        return os.getloadavg()
    except OSError:
        return None
