"""INA219, INA226, INA3221 and their kind, as hwmon shows them: sensors that somebody put into a supply's line.

Documentation/hwmon/ina2xx.rst, ina238.rst, ina3221.rst and sysfs-interface.rst. What they measure depends on where
they were put, which only their labels tell.
"""

import math
import re
from collections.abc import Mapping

from edgedigits.benchmarking.energy.meter import Meter, NoMeter, sensor
from edgedigits.benchmarking.fingerprint.power import is_jetson
from edgedigits.benchmarking.fingerprint.tree import Tree

Sensors = dict[str, tuple[tuple[str, ...], float]]
"""By channel: the files whose numbers are multiplied, and what makes the product watts."""

MICRO = 1e-6

CHIP = re.compile(r"ina[0-9]{3,4}[a-z]?")


def open_meter(tree: Tree) -> Meter | NoMeter:
    """Return a meter of the one channel there is; of several, only the one that is asked for says what it feeds."""
    if is_jetson(tree):
        return NoMeter("the INA sensors are the rails of a Jetson")
    sensors: Sensors = {}
    skipped: list[str] = []
    for path in tree.paths("sys/class/hwmon/hwmon[0-9]*"):
        if CHIP.fullmatch(tree.text(f"{path}/name") or ""):
            found, unread = channels_of(tree, path)
            sensors.update(found)
            skipped += unread
    if not sensors:
        if skipped:
            return NoMeter(f"INA sensors cannot be read ({'; '.join(skipped)})", present=True)
        return NoMeter("no INA sensors")
    return Meter(
        name="ina",
        scope=f"{next(iter(sensors))}: whatever this sensor was put before" if len(sensors) == 1 else "",
        kind="power",
        read=lambda: reading(tree, sensors),
        channels=tuple(sensors),
        total=tuple(sensors) if len(sensors) == 1 else (),
        skipped=tuple(skipped),
    )


def channels_of(tree: Tree, path: str) -> tuple[Sensors, list[str]]:
    """Return the channels of one chip at a hwmon folder, and what of it could not be read."""
    sensors: Sensors = {}
    skipped: list[str] = []
    chip = tree.text(f"{path}/name") or ""
    several = chip == "ina3221"
    for number in (1, 2, 3) if several else (1,):
        if tree.text(f"{path}/in{number}_enable") == "0" or not tree.exists(f"{path}/curr{number}_input"):
            continue
        label = tree.text(f"{path}/in{number}_label") or tree.text(f"{path}/label")
        # NVIDIA's device trees call unconnected channels so.
        if label == "NC":
            continue
        name = label or f"{chip} {path.rpartition('/')[2]}{f' channel {number}' if several else ''}"
        # Microwatts where the chip multiplies, and else millivolts by milliamperes.
        files: tuple[str, ...] = (f"{path}/power{number}_input",)
        if not tree.exists(files[0]):
            files = (f"{path}/in{number}_input", f"{path}/curr{number}_input")
        try:
            reading(tree, {name: (files, MICRO)})
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "no whole number"
            skipped.append(f"/{path}, {name}: {why}")
        else:
            sensors[name] = files, MICRO
    return sensors, skipped


def reading(tree: Tree, sensors: Sensors) -> Mapping[str, float]:
    """Return the watts of each channel now. Raises OSError or ValueError."""
    return {name: math.prod(sensor(tree, file) for file in files) * scale for name, (files, scale) in sensors.items()}
