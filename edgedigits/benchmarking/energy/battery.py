"""What a battery gives while nothing charges it (Documentation/ABI/testing/sysfs-class-power)."""

from collections.abc import Callable, Mapping

from edgedigits.benchmarking.energy.meter import Meter, NoMeter, sensor
from edgedigits.benchmarking.fingerprint.power import batteries
from edgedigits.benchmarking.fingerprint.tree import Tree


def open_meter(tree: Tree) -> Meter | NoMeter:
    """Return a meter of the whole machine, which runs from its batteries."""
    paths = batteries(tree)
    if not paths:
        return NoMeter("no battery")
    discharging = [path for path in paths if tree.text(f"{path}/status") == "Discharging"]
    if not discharging:
        return NoMeter("the battery tells nothing while the mains feed the machine; pull the plug", present=True)
    # Of two batteries one rests.
    files = {path.rpartition("/")[2]: _watts(tree, path) for path in discharging}

    def read() -> Mapping[str, float]:
        if any(tree.text(f"{path}/status") != "Discharging" for path in discharging):
            raise ValueError("the battery is no longer discharging")
        return {name: watts() for name, watts in files.items()}

    try:
        read()
    except (OSError, ValueError) as error:
        return NoMeter(f"the battery does not tell its power ({error})", present=True)
    return Meter(
        name="battery",
        scope=f"{' + '.join(files)}: the whole machine, its display too",
        kind="power",
        read=read,
        channels=tuple(files),
        total=tuple(files),
        interval_seconds=1.0,
        # Most batteries measure every few seconds and average over many.
        least_seconds=60.0,
    )


def _watts(tree: Tree, path: str) -> Callable[[], float]:
    if tree.exists(f"{path}/power_now"):
        return lambda: abs(sensor(tree, f"{path}/power_now")) * 1e-6
    # Some drivers give the current that flows out with a minus.
    return lambda: abs(sensor(tree, f"{path}/current_now")) * sensor(tree, f"{path}/voltage_now") * 1e-12
