"""INA219, INA226, INA3221 and similar sensors in a supply line, as hwmon shows them.

Documentation/hwmon/ina2xx.rst, ina238.rst, ina3221.rst and sysfs-interface.rst. Only a label names the line.
"""

import math
import re
from collections.abc import Mapping

from edgedigits.benchmarking.energy.power_meter import Meter, NoMeter, read_integer
from edgedigits.machine.conditions import is_jetson
from edgedigits.machine.tree import Tree

Sensors = dict[str, tuple[tuple[str, ...], float]]
"""By channel: the files whose numbers are multiplied, and the factor that makes the product watts."""

MICRO = 1e-6

CHIP = re.compile(r"ina[0-9]{3,4}[a-z]?")


def open_meter(tree: Tree) -> Meter | NoMeter:
    """Return a meter; with several channels its `total` is empty, since their lines are unknown."""
    if is_jetson(tree):
        return NoMeter("the INA sensors are the rails of a Jetson")
    sensors, skipped = find_channels(tree, CHIP)
    if not sensors and skipped:
        return NoMeter(f"INA sensors cannot be read ({'; '.join(skipped)})", present=True)
    if not sensors:
        return NoMeter("no INA sensors")
    only = tuple(sensors) if len(sensors) == 1 else ()
    return Meter(
        name="ina",
        scope=f"{only[0]}: whatever this sensor was put before" if only else "",
        kind="power",
        read=lambda: watts_of(tree, sensors),
        channels=tuple(sensors),
        total=only,
        skipped=tuple(skipped),
    )


def find_channels(tree: Tree, chip: re.Pattern[str]) -> tuple[Sensors, list[str]]:
    """Return the channels of all chips with such a name, and those that could not be read."""
    sensors: Sensors = {}
    skipped: list[str] = []
    for path in tree.paths("sys/class/hwmon/hwmon[0-9]*"):
        name = tree.text(f"{path}/name") or ""
        for number in () if not chip.fullmatch(name) else (1, 2, 3) if name == "ina3221" else (1,):
            _add_channel(tree, path, name, number, sensors, skipped)
    return sensors, skipped


def _add_channel(tree: Tree, path: str, chip: str, number: int, sensors: Sensors, skipped: list[str]) -> None:
    if tree.text(f"{path}/in{number}_enable") == "0" or not tree.exists(f"{path}/curr{number}_input"):
        return
    label = tree.text(f"{path}/in{number}_label") or tree.text(f"{path}/label")
    # NVIDIA's device trees label unconnected channels so.
    if label == "NC":
        return
    name = label or f"{chip} {path.rpartition('/')[2]}{f' channel {number}' if chip == 'ina3221' else ''}"
    # Microwatts if the chip multiplies, else millivolts by milliamperes.
    files: tuple[str, ...] = (f"{path}/power{number}_input",)
    if not tree.exists(files[0]):
        files = (f"{path}/in{number}_input", f"{path}/curr{number}_input")
    try:
        watts_of(tree, {name: (files, MICRO)})
    except (OSError, ValueError) as error:
        skipped.append(f"/{path}, {name}: {error.strerror if isinstance(error, OSError) else 'no whole number'}")
    else:
        sensors[name] = files, MICRO


def watts_of(tree: Tree, sensors: Sensors) -> Mapping[str, float]:
    """Return each channel's current watts. Raises OSError or ValueError."""
    return {
        name: math.prod(read_integer(tree, file) for file in files) * scale for name, (files, scale) in sensors.items()
    }
