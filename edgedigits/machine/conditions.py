"""The machine's conditions: clocks, temperatures, throttling, load and power, before, during and after a run."""

import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from edgedigits.machine.clocks import Clocks, read_clocks
from edgedigits.machine.load import Load, Shares, read_load, shares_between
from edgedigits.machine.throttling import (
    PROCESSOR_SENSORS,
    Throttling,
    read_temperatures,
    read_throttling,
)
from edgedigits.machine.tree import REAL, Tree


@dataclass(frozen=True)
class Power:
    """The power supply."""

    on_battery: bool | None  # None for machines without a battery.
    battery_percent: int | None
    profile: str | None  # The firmware's profile, such as "balanced".
    mode: str | None  # A Jetson's power mode, such as "15W".


@dataclass(frozen=True)
class Conditions:
    """The conditions at one moment."""

    at_seconds: float  # On the monotonic clock, so that only differences are meaningful.
    clocks: Clocks
    temperatures: dict[str, float]  # Degrees Celsius by sensor.
    throttling: Throttling
    load: Load
    power: Power
    skipped: tuple[str, ...] = ()  # Files that exist but could not be read, each with the reason.

    @property
    def processor_celsius(self) -> float | None:
        """The processor's temperature; None where no known sensor is inside it."""
        return next((self.temperatures[name] for name in PROCESSOR_SENSORS if name in self.temperatures), None)

    def to_dict(self) -> dict[str, object]:
        return {**asdict(self), "processor_celsius": self.processor_celsius, "throttling": self.throttling.to_dict()}


@dataclass(frozen=True)
class Course:
    """The conditions over one run."""

    before: Conditions  # before, after: outside of the run, when no child process of it is alive.
    during: tuple[Conditions, ...]  # In the order of time; may be empty.
    after: Conditions

    @property
    def all(self) -> tuple[Conditions, ...]:
        return (self.before, *self.during, self.after)

    @property
    def shares(self) -> Shares | None:
        """Shares of the cores' time that others used over the run."""
        return shares_between(self.before.load.ticks, self.after.load.ticks)

    @property
    def busy_clocks(self) -> tuple[float, ...]:
        """The fastest core's clock in MHz during the run, where it was measured."""
        clocks = [now.clocks for now in self.during if now.clocks.source == "cpufreq"]
        return tuple(one.fastest_mhz for one in clocks if one.fastest_mhz is not None)

    def to_dict(self) -> dict[str, object]:
        return {"before": self.before.to_dict(), "during": self._during(), "after": self.after.to_dict()}

    def _during(self) -> dict[str, object]:
        shares, during = self.shares, self.during
        sensors = dict.fromkeys(name for now in during for name in now.temperatures)
        return {
            "samples": len(during),
            "seconds": self.after.at_seconds - self.before.at_seconds,
            "fastest_mhz": _spread([now.clocks.fastest_mhz for now in during]),
            "temperatures": {name: _spread([now.temperatures.get(name) for now in during]) for name in sensors},
            "throttled": list(dict.fromkeys(name for now in during for name in now.throttling.now)),
            "others_share": shares.others if shares else None,
            "stolen_share": shares.stolen if shares else None,
            "skipped": list(dict.fromkeys(line for now in during for line in now.skipped)),
        }


def snapshot(root: Path = REAL, system: Any = psutil) -> Conditions:
    """Read the current conditions.

    This takes milliseconds and cools the caches. During a run, call it between blocks of work, right after one, while
    the cores still run at that block's clock. A thread beside the work would disturb the measured times.

    Args:
        root: beneath which the kernel's files lie.
        system: psutil, or a stand-in for a recorded machine.
    """
    tree = Tree(root)
    return Conditions(
        at_seconds=time.monotonic(),
        clocks=read_clocks(tree),
        temperatures=read_temperatures(tree),
        throttling=read_throttling(tree),
        load=read_load(tree, system),
        power=read_power(tree),
        skipped=tree.skipped,
    )


def read_power(tree: Tree) -> Power:
    """Read the current power supply."""
    statuses = [tree.text(f"{path}/status") for path in batteries(tree)]
    percents = [tree.integer(f"{path}/capacity") for path in batteries(tree)]
    known = [status for status in statuses if status and status != "Unknown"]
    return Power(
        on_battery="Discharging" in known if known else None,
        battery_percent=next((percent for percent in percents if percent is not None), None),
        profile=tree.text("sys/firmware/acpi/platform_profile") or None,
        mode=jetson_mode(tree.text("var/lib/nvpmodel/status") or "", tree.text("etc/nvpmodel.conf") or ""),
    )


def batteries(tree: Tree) -> list[str]:
    """Return the folders of the batteries that power the machine (Documentation/ABI/testing/sysfs-class-power)."""
    # A mouse's or a pen's battery has the scope "Device".
    supplies = tree.paths("sys/class/power_supply/*")
    return [p for p in supplies if tree.text(f"{p}/type") == "Battery" and tree.text(f"{p}/scope") != "Device"]


def is_jetson(tree: Tree) -> bool:
    """Whether the device tree names one of NVIDIA's Tegra chips."""
    return "nvidia,tegra" in (tree.text("proc/device-tree/compatible") or "")


def jetson_mode(status: str, settings: str) -> str | None:
    """Return the name of a Jetson's power mode.

    Args:
        status: /var/lib/nvpmodel/status, "pmode:0002".
        settings: /etc/nvpmodel.conf, with lines such as "< POWER_MODEL ID=2 NAME=MAXN_SUPER >".
    """
    match = re.search(r"pmode:([0-9]{1,6})", status)
    if not match:
        return None
    number = int(match[1])
    for line in settings.splitlines():
        named = re.match(r"\s*<\s*POWER_MODEL\s+ID=0*([0-9]{1,6})\s+NAME=(\S+)", line)
        if named and int(named[1]) == number:
            return named[2]
    return f"mode {number}"


def _spread(values: Sequence[float | None]) -> dict[str, float] | None:
    known = [value for value in values if value is not None]
    return {"lowest": min(known), "median": median(known), "highest": max(known)} if known else None
