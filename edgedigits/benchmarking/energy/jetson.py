"""The rails of an NVIDIA Jetson, which its module measures by INA3221 sensors.

Labels are those of Platform Power and Performance in NVIDIA's Jetson Linux guide.
"""

from edgedigits.benchmarking.energy.ina import Sensors, channels_of, reading
from edgedigits.benchmarking.energy.meter import Meter, NoMeter
from edgedigits.benchmarking.fingerprint.power import is_jetson
from edgedigits.benchmarking.fingerprint.tree import Tree

WHOLE_MODULE = ("VDD_IN", "POM_5V_IN", "5V_IN")
"""The input of Orin Nano, Orin NX and Xavier NX; of Nano and TX2 under their older kernels."""

PROCESSORS = ("VDD_GPU_SOC", "VDD_CPU_CV")
"""Of an AGX Orin, whose module has no sensor at its input. Its rails of 5 V feed each other and are only shown."""


def open_meter(tree: Tree) -> Meter | NoMeter:
    """Return a meter of the whole module, or of its processors' rails where it has no sensor of the whole."""
    if not is_jetson(tree):
        return NoMeter("no Jetson")
    sensors, skipped = rails(tree)
    whole = next(((name,) for name in WHOLE_MODULE if name in sensors), ())
    total = whole or tuple(name for name in PROCESSORS if name in sensors)
    if not total:
        seen = "; ".join(skipped) or f"known rails: {', '.join(sensors) or 'none'}"
        return NoMeter(f"the rails of this Jetson cannot be read ({seen})", present=True)
    return Meter(
        name="jetson",
        scope=(
            f"{total[0]}: the whole module, without its carrier board"
            if whole
            else f"{' + '.join(total)}: processor and graphics, not the whole module"
        ),
        kind="power",
        read=lambda: reading(tree, sensors),
        channels=tuple(sensors),
        total=total,
        skipped=tuple(skipped),
    )


def rails(tree: Tree) -> tuple[Sensors, list[str]]:
    """Return the files of each rail by its label, and what could not be read."""
    sensors: Sensors = {}
    skipped: list[str] = []
    for path in tree.paths("sys/class/hwmon/hwmon[0-9]*"):
        if tree.text(f"{path}/name") == "ina3221":
            found, unread = channels_of(tree, path)
            sensors.update(found)
            skipped += unread
    # Kernels up to JetPack 4 give milliwatts through iio.
    for path in tree.paths("sys/bus/i2c/drivers/ina3221x/*/iio:device*/rail_name_*"):
        folder, _, number = path.rpartition("/rail_name_")
        file = f"{folder}/in_power{number}_input"
        label = tree.text(path)
        if label and tree.integer(file) is not None:
            sensors.setdefault(label, ((file,), 1e-3))
    return sensors, skipped
