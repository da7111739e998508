"""The rails of an NVIDIA Jetson, which INA3221 sensors on its module measure.

Labels: Platform Power and Performance in NVIDIA's Jetson Linux guide.
"""

import re

from edgedigits.benchmarking.energy.ina import Sensors, find_channels, watts_of
from edgedigits.benchmarking.energy.power_meter import Meter, NoMeter
from edgedigits.machine.conditions import is_jetson
from edgedigits.machine.tree import Tree

WHOLE_MODULE = ("VDD_IN", "POM_5V_IN", "5V_IN")
"""The input of Orin Nano, Orin NX and Xavier NX; of Nano and TX2 under their older kernels."""

PROCESSORS = ("VDD_GPU_SOC", "VDD_CPU_CV")
"""Of an AGX Orin, whose module has no sensor at its input. Its 5 V rails feed each other and are not summed."""


def open_meter(tree: Tree) -> Meter | NoMeter:
    """Return a meter of the whole module, or else of its processors' rails."""
    if not is_jetson(tree):
        return NoMeter("no Jetson")
    sensors, skipped = rails(tree)
    whole = next(((name,) for name in WHOLE_MODULE if name in sensors), ())
    total = whole or tuple(name for name in PROCESSORS if name in sensors)
    if not total:
        seen = "; ".join(skipped) or f"known rails: {', '.join(sensors) or 'none'}"
        return NoMeter(f"the rails of this Jetson cannot be read ({seen})", present=True)
    scope = "the whole module, without its carrier board" if whole else "processor and graphics, not the whole module"
    return Meter(
        name="jetson",
        scope=f"{' + '.join(total)}: {scope}",
        kind="power",
        read=lambda: watts_of(tree, sensors),
        channels=tuple(sensors),
        total=total,
        skipped=tuple(skipped),
    )


def rails(tree: Tree) -> tuple[Sensors, list[str]]:
    """Return the files of each rail by its label, and those that could not be read."""
    sensors, skipped = find_channels(tree, re.compile("ina3221"))
    # Kernels up to JetPack 4 give milliwatts through iio.
    for path in tree.paths("sys/bus/i2c/drivers/ina3221x/*/iio:device*/rail_name_*"):
        folder, _, number = path.rpartition("/rail_name_")
        file = f"{folder}/in_power{number}_input"
        label = tree.text(path)
        if label and tree.integer(file) is not None:
            sensors.setdefault(label, ((file,), 1e-3))
    return sensors, skipped
