"""Energy meters: one function for each kind, which finds its sensors and returns a Meter, or NoMeter."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from edgedigits.machine.conditions import batteries, is_jetson
from edgedigits.machine.tree import REAL, Tree
from edgedigits_runtime.errors import UnknownName

Sensors = dict[str, tuple[tuple[str, ...], float]]
"""Files whose numbers are multiplied, and the factor that makes the product watts or microjoules, by channel."""

MICRO = 1e-6

WHOLE_MODULE = ("VDD_IN", "POM_5V_IN", "5V_IN")
"""The input of a Jetson Orin Nano, Orin NX and Xavier NX; of Nano and TX2 under their older kernels."""

PROCESSORS = ("VDD_GPU_SOC", "VDD_CPU_CV")
"""Rails of an AGX Orin, whose module has no sensor at its input. Its 5 V rails feed each other and are not summed."""

PMIC_ASIDE = ("3V3_DAC", "3V3_ADC", "HDMI")
"""Rails of analogue parts and plugged-in devices: they are reported, but not summed."""


@dataclass(frozen=True)
class Meter:
    """Sensors that measure a machine's energy."""

    name: str  # A key of METERS.
    scope: str  # What is measured and what is not, for a reader.
    kind: Literal["counter", "power"]  # Whether `read` returns counted microjoules or current watts.
    read: Callable[[], Mapping[str, float]]  # Returns the value of each channel; raises OSError or ValueError.
    channels: tuple[str, ...]
    total: tuple[str, ...]  # Channels that are summed to the figure; the others are reported beside it.
    wraps_at: Mapping[str, float] = field(default_factory=dict)  # Where each counter restarts from 0.
    interval_seconds: float = 0.1  # How often to read while measuring.
    least_seconds: float = 1.0  # The shortest time that these sensors can measure.
    skipped: tuple[str, ...] = ()  # Sensors that could not be read, with the reason.


@dataclass(frozen=True)
class NoMeter:
    """The reason why energy cannot be measured; `present` if there are sensors, but unusable ones."""

    reason: str
    present: bool = False

    def to_dict(self) -> dict[str, object]:
        return {"available": False, "reason": self.reason}


def open_meter(root: Path = REAL, wanted: str | None = None) -> Meter | NoMeter:
    """Return the first meter that can be read beneath `root`, or the wanted one. Raises UnknownName.

    Args:
        wanted: a key of METERS, with one of its channels or without, "ina:VDD_5V"; any meter if None.
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
    meter = METERS[name](tree) if channel else _open(name, tree)
    if isinstance(meter, NoMeter) or not channel:
        return meter
    if channel not in meter.channels:
        raise UnknownName(f"channel of the meter {name}", channel, meter.channels)
    return replace(meter, total=(channel,), scope=f"{channel}, which was chosen by hand")


def jetson_meter(tree: Tree) -> Meter | NoMeter:
    """Open the INA3221 sensors of an NVIDIA Jetson's module, or else those of its processors' rails.

    Labels: Platform Power and Performance in NVIDIA's Jetson Linux guide.
    """
    if not is_jetson(tree):
        return NoMeter("no Jetson")
    sensors, skipped = _ina_channels(tree, "ina3221")
    # Kernels up to JetPack 4 give milliwatts through iio.
    for path in tree.paths("sys/bus/i2c/drivers/ina3221x/*/iio:device*/rail_name_*"):
        folder, _, number = path.rpartition("/rail_name_")
        file, label = f"{folder}/in_power{number}_input", tree.text(path)
        if label and tree.integer(file) is not None:
            sensors.setdefault(label, ((file,), 1e-3))
    whole = next(((name,) for name in WHOLE_MODULE if name in sensors), ())
    total = whole or tuple(name for name in PROCESSORS if name in sensors)
    if not total:
        seen = "; ".join(skipped) or f"known rails: {', '.join(sensors) or 'none'}"
        return NoMeter(f"the rails of this Jetson cannot be read ({seen})", present=True)
    scope = "the whole module, without its carrier board" if whole else "processor and graphics, not the whole module"
    return _power_meter(tree, "jetson", f"{' + '.join(total)}: {scope}", sensors, total, skipped)


def ina_meter(tree: Tree) -> Meter | NoMeter:
    """Open INA219, INA226, INA3221 and similar sensors in a supply line; `total` is empty if there are several.

    Documentation/hwmon/ina2xx.rst, ina238.rst, ina3221.rst and sysfs-interface.rst. Only a label names the line.
    """
    if is_jetson(tree):
        return NoMeter("the INA sensors are the rails of a Jetson")
    sensors, skipped = _ina_channels(tree, "ina[0-9]{3,4}[a-z]?")
    if not sensors and skipped:
        return NoMeter(f"INA sensors cannot be read ({'; '.join(skipped)})", present=True)
    if not sensors:
        return NoMeter("no INA sensors")
    only = tuple(sensors) if len(sensors) == 1 else ()
    scope = f"{only[0]}: whatever this sensor was put before" if only else ""
    return _power_meter(tree, "ina", scope, sensors, only, skipped)


def pmic_meter(tree: Tree) -> Meter | NoMeter:
    """Open the power chip of a Raspberry Pi 5: the rails that have both a voltage and a current."""
    if "Raspberry Pi" not in (tree.text("proc/device-tree/model") or ""):
        return NoMeter("no Raspberry Pi")
    rails = parse_rails(tree.program("vcgencmd", "pmic_read_adc") or "")
    if not rails:
        return NoMeter("no power chip of a Raspberry Pi that measures")

    def read() -> Mapping[str, float]:
        now = parse_rails(tree.program("vcgencmd", "pmic_read_adc") or "")
        if not set(rails) <= set(now):
            raise ValueError("vcgencmd pmic_read_adc did not list every rail")
        return now

    scope = "the rails of the power chip: without USB, what is plugged in, and what the regulators lose"
    total = tuple(name for name in rails if name not in PMIC_ASIDE)
    # Each reading starts a program.
    return Meter("pmic", scope, "power", read, tuple(rails), total, interval_seconds=0.25, least_seconds=2.0)


def rapl_meter(tree: Tree) -> Meter | NoMeter:
    """Open the energy counters of Intel's and AMD's processor packages and memory (power/powercap/powercap.rst)."""
    zones = _rapl_zones(tree)
    if not zones:
        return NoMeter("no RAPL counters")
    sensors, wraps_at, skipped, denied = Sensors(), {}, list[str](), False
    for name, path in zones.items():
        try:
            _read_integer(tree, f"{path}/energy_uj")
            wraps_at[name] = float(_read_integer(tree, f"{path}/max_energy_range_uj"))
            sensors[name] = (f"{path}/energy_uj",), 1.0
        except (OSError, ValueError) as error:
            skipped.append(f"/{path}/energy_uj: {_reason(error)}")
            denied = denied or isinstance(error, PermissionError)
    # A package excludes the memory; the platform ("psys") includes both.
    packages = [name for name in sensors if name.startswith("package") and "/" not in name]
    memory = [name for name in sensors if name.endswith("/dram")]
    total = (*packages, *memory) if packages else tuple(name for name in sensors if name == "psys")
    if not total:
        # Since Linux 5.10 only root may read them, because they leak other programs' secrets.
        fix = "; to let everybody read them: sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj"
        why = f"{skipped[0]}{fix if denied else ''}" if skipped else "none is of a package"
        return NoMeter(f"RAPL counters cannot be read ({why})", present=True)
    scope = "the processor, not the rest of the machine" if packages else "the platform, as its maker has wired it"
    meter = _power_meter(tree, "rapl", f"{' + '.join(total)}: {scope}", sensors, total, skipped)
    # 32 bits of 61 microjoules wrap after 44 minutes at 100 W.
    return replace(meter, kind="counter", wraps_at=wraps_at, interval_seconds=10.0)


def battery_meter(tree: Tree) -> Meter | NoMeter:
    """Open the batteries that the whole machine runs from (Documentation/ABI/testing/sysfs-class-power)."""
    paths = batteries(tree)
    if not paths:
        return NoMeter("no battery")
    # Of two batteries one rests.
    discharging = [path for path in paths if tree.text(f"{path}/status") == "Discharging"]
    if not discharging:
        return NoMeter("the battery reports no power on mains; unplug the machine", present=True)
    sensors: Sensors = {}
    for path in discharging:
        power = (f"{path}/power_now",), MICRO
        product = (f"{path}/current_now", f"{path}/voltage_now"), MICRO**2
        sensors[path.rpartition("/")[2]] = power if tree.exists(power[0][0]) else product

    def read() -> Mapping[str, float]:
        if any(tree.text(f"{path}/status") != "Discharging" for path in discharging):
            raise ValueError("the battery is no longer discharging")
        # Some drivers report a discharging current as negative.
        return {name: abs(watts) for name, watts in _read(tree, sensors).items()}

    try:
        read()
    except (OSError, ValueError) as error:
        return NoMeter(f"the battery does not report its power ({error})", present=True)
    scope = f"{' + '.join(sensors)}: the whole machine, its display too"
    meter = _power_meter(tree, "battery", scope, sensors, tuple(sensors), [])
    # Most batteries measure every few seconds and average over many.
    return replace(meter, read=read, interval_seconds=1.0, least_seconds=60.0)


METERS: dict[str, Callable[[Tree], Meter | NoMeter]] = {
    "jetson": jetson_meter,
    "ina": ina_meter,
    "pmic": pmic_meter,
    "rapl": rapl_meter,
    "battery": battery_meter,
}
"""In the order in which they are tried: meters of a whole board before meters of a processor."""


def parse_rails(text: str) -> dict[str, float]:
    """Return the watts of each rail from lines such as "VDD_CORE_A current(7)=1.12A", "VDD_CORE_V volt(15)=0.89V"."""
    values: dict[str, dict[str, float]] = {}
    for line in text.splitlines():
        match = re.fullmatch(r"\s*(\w+)_([AV]) (?:current|volt)\(\d+\)=([0-9]{1,6}(?:\.[0-9]{1,12})?)\2\s*", line)
        if match:
            values.setdefault(match[1], {})[match[2]] = float(match[3])
    return {name: of["A"] * of["V"] for name, of in values.items() if len(of) == 2}


def _power_meter(
    tree: Tree, name: str, scope: str, sensors: Sensors, total: tuple[str, ...], skipped: list[str]
) -> Meter:
    return Meter(name, scope, "power", lambda: _read(tree, sensors), tuple(sensors), total, skipped=tuple(skipped))


def _ina_channels(tree: Tree, chip: str) -> tuple[Sensors, list[str]]:
    """Return the channels of all chips with such a name, and those that could not be read."""
    sensors: Sensors = {}
    skipped: list[str] = []
    for path in tree.paths("sys/class/hwmon/hwmon[0-9]*"):
        name = tree.text(f"{path}/name") or ""
        for number in () if not re.fullmatch(chip, name) else (1, 2, 3) if name == "ina3221" else (1,):
            _add_ina_channel(tree, path, name, number, sensors, skipped)
    return sensors, skipped


def _add_ina_channel(tree: Tree, path: str, chip: str, number: int, sensors: Sensors, skipped: list[str]) -> None:
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
        _read(tree, {name: (files, MICRO)})
    except (OSError, ValueError) as error:
        skipped.append(f"/{path}, {name}: {_reason(error)}")
    else:
        sensors[name] = files, MICRO


def _rapl_zones(tree: Tree) -> dict[str, str]:
    """Return the path of each zone by its name, "package-0" or "package-0/dram"."""
    found: dict[str, str] = {}
    names: dict[str, str] = {}
    # AMD's too. intel-rapl-mmio repeats the same counters, so it is not read.
    for path in tree.paths("sys/class/powercap/intel-rapl:[0-9]*"):
        number = re.fullmatch(r"intel-rapl:(\d+(?::\d+)*)", path.rpartition("/")[2])
        name = tree.text(f"{path}/name") if number else None
        if number is None or not name:
            continue
        above = names.get(number[1].rpartition(":")[0])
        names[number[1]] = f"{above}/{name}" if above else name
        found[names[number[1]]] = path
    return found


def _read(tree: Tree, sensors: Sensors) -> Mapping[str, float]:
    """Return each channel's current value. Raises OSError or ValueError."""
    return {
        name: math.prod(_read_integer(tree, file) for file in files) * factor
        for name, (files, factor) in sensors.items()
    }


def _read_integer(tree: Tree, path: str) -> int:
    content = (tree.root / path).read_text(errors="replace").strip()
    if not re.fullmatch(r"-?[0-9]{1,20}", content):
        raise ValueError(f"/{path} holds {content[:40]!r}, no whole number")
    return int(content)


def _reason(error: OSError | ValueError) -> str | None:
    return error.strerror if isinstance(error, OSError) else "no whole number"
