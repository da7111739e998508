"""A battery's power while it discharges (Documentation/ABI/testing/sysfs-class-power)."""

from collections.abc import Callable, Mapping

from edgedigits.benchmarking.energy.power_meter import Meter, NoMeter, read_integer
from edgedigits.machine.conditions import batteries
from edgedigits.machine.tree import Tree


def open_meter(tree: Tree) -> Meter | NoMeter:
    """Return a meter of the whole machine, which runs from its batteries."""
    paths = batteries(tree)
    if not paths:
        return NoMeter("no battery")
    # Of two batteries one rests.
    discharging = [path for path in paths if tree.text(f"{path}/status") == "Discharging"]
    if not discharging:
        return NoMeter("the battery reports no power on mains; unplug the machine", present=True)
    channels = {path.rpartition("/")[2]: _watts(tree, path) for path in discharging}

    def read() -> Mapping[str, float]:
        if any(tree.text(f"{path}/status") != "Discharging" for path in discharging):
            raise ValueError("the battery is no longer discharging")
        return {name: watts() for name, watts in channels.items()}

    try:
        read()
    except (OSError, ValueError) as error:
        return NoMeter(f"the battery does not report its power ({error})", present=True)
    return Meter(
        name="battery",
        scope=f"{' + '.join(channels)}: the whole machine, its display too",
        kind="power",
        read=read,
        channels=tuple(channels),
        total=tuple(channels),
        interval_seconds=1.0,
        # Most batteries measure every few seconds and average over many.
        least_seconds=60.0,
    )


def _watts(tree: Tree, path: str) -> Callable[[], float]:
    if tree.exists(f"{path}/power_now"):
        return lambda: abs(read_integer(tree, f"{path}/power_now")) * 1e-6
    # Some drivers report a discharging current as negative.
    return lambda: abs(read_integer(tree, f"{path}/current_now")) * read_integer(tree, f"{path}/voltage_now") * 1e-12
