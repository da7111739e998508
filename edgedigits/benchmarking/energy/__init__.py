"""Energy meters: one module for each kind, with `open_meter(tree) -> Meter | NoMeter`."""

from dataclasses import replace
from pathlib import Path

from edgedigits.benchmarking.energy import battery, ina, jetson, pmic, rapl
from edgedigits.benchmarking.energy.power_meter import Meter, NoMeter
from edgedigits.machine.tree import REAL, Tree
from edgedigits_runtime.errors import UnknownName

METERS = {
    "jetson": jetson.open_meter,
    "ina": ina.open_meter,
    "pmic": pmic.open_meter,
    "rapl": rapl.open_meter,
    "battery": battery.open_meter,
}
"""In the order in which they are tried: meters of a whole board before meters of a processor."""


def open_meter(root: Path = REAL, wanted: str | None = None) -> Meter | NoMeter:
    """Return the first meter that can be read.

    Args:
        root: beneath which the kernel's files lie.
        wanted: a key of METERS, with one of its channels if wanted, "ina:VDD_5V"; any meter if None.

    Raises:
        UnknownName: no such meter or channel.
    """
    if wanted is not None:
        return _wanted(Tree(root), *wanted.partition(":")[::2])
    found = [_open(name, Tree(root)) for name in METERS]
    for meter in found:
        if isinstance(meter, Meter):
            return meter
    unusable = [meter.reason for meter in found if isinstance(meter, NoMeter) and meter.present]
    why = "; ".join(unusable) or "it has no RAPL counters, Jetson rails, INA sensors, measuring power chip or battery"
    return NoMeter(f"not available on this board: {why}", present=bool(unusable))


def _open(name: str, tree: Tree) -> Meter | NoMeter:
    meter = METERS[name](tree)
    if isinstance(meter, Meter) and not meter.total:
        choices = ", ".join(f"{name}:{channel}" for channel in meter.channels)
        return NoMeter(f"several sensors without a known place; choose one with --meter: {choices}", present=True)
    return meter


def _wanted(tree: Tree, name: str, channel: str) -> Meter | NoMeter:
    if name not in METERS:
        raise UnknownName("meter", name, METERS)
    if not channel:
        return _open(name, tree)
    meter = METERS[name](tree)
    if isinstance(meter, NoMeter):
        return meter
    if channel not in meter.channels:
        raise UnknownName(f"channel of the meter {name}", channel, meter.channels)
    return replace(meter, total=(channel,), scope=f"{channel}, which was chosen by hand")
