"""Temperatures, and every sign that a machine slows itself down."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from edgedigits.machine.tree import Tree

FLAGS = {0: "under-voltage", 1: "clock capped", 2: "throttled", 3: "soft temperature limit"}
"""Bits of the Raspberry Pi firmware's current state; 16 bits higher, the same since the board started.

raspberrypi.com/documentation/computers/os.html, under get_throttled.
"""

SINCE_START = 16

SLOWING = ("cpufreq-", "thermal-cpufreq-", "thermal-idle-", "cpuidle-", "intel_powerclamp", "Processor")
"""Cooling devices that slow the processor, by the start of their type. Others drive a fan, or slow something else."""

ALERT = "-throttle-alert"  # The end of the type of a Jetson's cooling devices that report hardware throttling.

PROCESSOR_SENSORS = (
    "x86_pkg_temp", "coretemp", "k10temp", "zenpower", "cpu-thermal", "cpu_thermal", "CPU-therm", "soc-thermal",
    "soc_thermal",
)  # fmt: skip
"""Sensors inside a processor, the best first."""

CHIPS = ("coretemp", "k10temp", "zenpower")
CHIP_LABELS = ("Package id 0", "Tctl", "Tdie")

PLAUSIBLE_CELSIUS = (-40.0, 150.0)

OVER_CURRENT = {"oc1": "under-voltage", "oc2": "average over-current", "oc3": "instantaneous over-current"}
"""Causes of a Jetson Orin's throttling by event: Platform Power and Performance in NVIDIA's Jetson Linux guide."""


def read_temperatures(tree: Tree) -> dict[str, float]:
    """Return degrees Celsius by sensor: every thermal zone, and the processor's own chip.

    Documentation/driver-api/thermal/sysfs-api.rst and Documentation/hwmon/sysfs-interface.rst.
    """
    found: dict[str, float] = {}
    for path in tree.paths("sys/class/thermal/thermal_zone[0-9]*"):
        _add(tree, found, tree.text(f"{path}/type") or path.rpartition("/")[2], f"{path}/temp")
    for path in tree.paths("sys/class/hwmon/hwmon[0-9]*"):
        chip = tree.text(f"{path}/name")
        for sensor in tree.paths(f"{path}/temp[0-9]*_input") if chip in CHIPS else ():
            if tree.text(sensor.removesuffix("_input") + "_label") in CHIP_LABELS:
                _add(tree, found, str(chip), sensor)
    return found


def _add(tree: Tree, found: dict[str, float], name: str, path: str) -> None:
    milli = tree.integer(path)
    if milli is None:
        return
    celsius = milli / 1000
    if not PLAUSIBLE_CELSIUS[0] <= celsius <= PLAUSIBLE_CELSIUS[1]:
        tree.skip(path, f"{celsius:g} degrees Celsius cannot be")
        return
    number, free = 2, name
    while free in found:
        free, number = f"{name} {number}", number + 1
    found[free] = celsius


@dataclass(frozen=True)
class Throttling:
    """Signs of throttling."""

    flags: int | None  # Of a Raspberry Pi's firmware; None elsewhere.
    cooling: Mapping[str, tuple[int, int]]  # State and highest state of each device that slows the processor.
    events: Mapping[str, int]  # Counters since the machine started that grow while it throttles.
    alarms: tuple[str, ...] = ()  # Alarms of single sensors that are on now; their silence excludes no other cause.

    @property
    def visible(self) -> bool:
        """Whether throttling could be detected on this machine."""
        return self.flags is not None or bool(self.cooling) or bool(self.events)

    @property
    def now(self) -> tuple[str, ...]:
        """Causes that slow the processor now."""
        of_firmware = [name for bit, name in FLAGS.items() if (self.flags or 0) >> bit & 1]
        of_kernel = [f"{name} at {state} of {most}" for name, (state, most) in self.cooling.items() if state > 0]
        return tuple(dict.fromkeys((*of_firmware, *self.alarms, *of_kernel)))

    @property
    def since_start(self) -> tuple[str, ...]:
        """Causes that slowed the board since it started, from its firmware's record."""
        return tuple(name for bit, name in FLAGS.items() if (self.flags or 0) >> (bit + SINCE_START) & 1)

    def to_dict(self) -> dict[str, object]:
        return {
            "flags": None if self.flags is None else f"{self.flags:#x}",
            "now": self.now,
            "since_start": self.since_start,
            "cooling": self.cooling,
            "events": self.events,
        }


def read_throttling(tree: Tree) -> Throttling:
    """Read the firmware's flags, the cooling devices and the counters."""
    return Throttling(_flags(tree), _cooling(tree), {**_thermal_events(tree), **_over_current(tree)}, _alarms(tree))


def parse_flags(text: str) -> int | None:
    """Parse "throttled=0x50000", as vcgencmd prints it, or "50000", as the kernel's file holds it."""
    match = re.fullmatch(r"(?:throttled=)?(?:0x)?([0-9a-fA-F]{1,8})", text.strip())
    return int(match[1], 16) if match else None


def _flags(tree: Tree) -> int | None:
    answer, source = tree.program("vcgencmd", "get_throttled"), "vcgencmd get_throttled"
    if answer is None:
        # Older kernels of Raspberry Pi OS; newer ones log a warning on each read, so this comes second.
        for path in tree.paths("sys/devices/platform/soc*/*soc*firmware*/get_throttled"):
            answer, source = tree.text(path), path
    if answer is None:
        return None
    flags = parse_flags(answer)
    if flags is None:
        tree.skip(source, f"{answer[:40]!r} is no set of flags")
    return flags


def _alarms(tree: Tree) -> tuple[str, ...]:
    """Read the driver raspberrypi-hwmon, which needs no vcgencmd, but reports the voltage only."""
    for path in tree.paths("sys/class/hwmon/hwmon[0-9]*"):
        if tree.text(f"{path}/name") == "rpi_volt" and tree.text(f"{path}/in0_lcrit_alarm") == "1":
            return (FLAGS[0],)
    return ()


def _cooling(tree: Tree) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for path in tree.paths("sys/class/thermal/cooling_device[0-9]*"):
        kind = tree.text(f"{path}/type") or ""
        if not (kind.startswith(SLOWING) or kind.endswith(ALERT)):
            continue
        state, most = tree.integer(f"{path}/cur_state"), tree.integer(f"{path}/max_state")
        if state is not None and most is not None:
            # ACPI has one of the same type for each core: keep the one that slows most.
            found[kind] = max(found.get(kind, (state, most)), (state, most))
    return found


def _thermal_events(tree: Tree) -> dict[str, int]:
    """Sum the thermal interrupts of /sys/devices/system/cpu/cpu*/thermal_throttle (x86)."""
    cores, packages = 0, dict[str, int]()
    paths = tree.paths("sys/devices/system/cpu/cpu[0-9]*/thermal_throttle")
    for path in paths:
        cores += tree.integer(f"{path}/core_throttle_count") or 0
        count = tree.integer(f"{path}/package_throttle_count")
        if count is not None:
            # Each core repeats the count of its package.
            package = tree.text(f"{path.rpartition('/')[0]}/topology/physical_package_id") or "0"
            packages[package] = max(packages.get(package, 0), count)
    if not paths:
        return {}
    return {"core too hot": cores, **({"package too hot": sum(packages.values())} if packages else {})}


def _over_current(tree: Tree) -> dict[str, int]:
    found = {}
    for path in tree.paths("sys/class/hwmon/hwmon[0-9]*"):
        for event, name in OVER_CURRENT.items() if tree.text(f"{path}/name") == "soctherm_oc" else ():
            count = tree.integer(f"{path}/{event}_event_cnt")
            if count is not None and tree.text(f"{path}/{event}_throt_en") != "0":
                found[name] = count
    return found
