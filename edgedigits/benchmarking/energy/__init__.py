"""Energy, where a board can tell it. One module for each kind of meter, all `open_meter(tree) -> Meter | NoMeter`."""

import importlib
from dataclasses import replace
from pathlib import Path

from edgedigits.benchmarking.energy.measuring import Energy, Plan, measure_energy
from edgedigits.benchmarking.energy.meter import Meter, NoMeter
from edgedigits.benchmarking.fingerprint.tree import REAL, Tree
from edgedigits_runtime.errors import UnknownName

__all__ = ["METERS", "Energy", "Meter", "NoMeter", "Plan", "measure_energy", "open_meter"]

METERS = {
    "jetson": "edgedigits.benchmarking.energy.jetson",
    "ina": "edgedigits.benchmarking.energy.ina",
    "pmic": "edgedigits.benchmarking.energy.pmic",
    "rapl": "edgedigits.benchmarking.energy.rapl",
    "battery": "edgedigits.benchmarking.energy.battery",
}
"""In the order in which they are tried: what measures a board before what measures its processor."""


def open_meter(root: Path = REAL, wanted: str | None = None) -> Meter | NoMeter:
    """Return the first meter that can be read.

    Args:
        root: of the files in which the machine tells of itself.
        wanted: a key of METERS, or with one channel of it, "ina:VDD_5V"; whichever there is if None.

    Raises:
        UnknownName: no such meter, or no such channel.
    """
    if wanted is not None:
        return _wanted(Tree(root), *wanted.partition(":")[::2])
    found = [_open(name, Tree(root)) for name in METERS]
    for meter in found:
        if isinstance(meter, Meter):
            return meter
    here = [meter.reason for meter in found if isinstance(meter, NoMeter) and meter.present]
    return NoMeter(f"not available on this board: {'; '.join(here) or f'it has no {_listed()}'}", present=bool(here))


def _open(name: str, tree: Tree) -> Meter | NoMeter:
    meter: Meter | NoMeter = importlib.import_module(METERS[name]).open_meter(tree)
    if isinstance(meter, Meter) and not meter.total:
        choices = ", ".join(f"{name}:{channel}" for channel in meter.channels)
        return NoMeter(
            f"several sensors, and nothing says what they feed; choose one with --meter: {choices}", present=True
        )
    return meter


def _wanted(tree: Tree, name: str, channel: str) -> Meter | NoMeter:
    if name not in METERS:
        raise UnknownName("meter", name, METERS)
    if not channel:
        return _open(name, tree)
    meter: Meter | NoMeter = importlib.import_module(METERS[name]).open_meter(tree)
    if isinstance(meter, NoMeter):
        return meter
    if channel not in meter.channels:
        raise UnknownName(f"channel of the meter {name}", channel, meter.channels)
    return replace(meter, total=(channel,), scope=f"{channel}, which was chosen by hand")


def _listed() -> str:
    return "RAPL counters, Jetson rails, INA sensors, measuring power chip or battery"
