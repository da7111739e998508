"""The machine's conditions: clocks, temperatures, throttling, load and power, before, during and after a run."""

import contextlib
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from edgedigits.machine.environment import cgroup_folders
from edgedigits.machine.processor import core_list, read_cpuinfo
from edgedigits.machine.throttling import PROCESSOR_SENSORS, Throttling, read_temperatures, read_throttling
from edgedigits.machine.tree import REAL, Tree

CPUFREQ = "sys/devices/system/cpu/cpufreq"

TICKS_A_SECOND = 100
BUSY = ("user", "nice", "system", "irq", "softirq")
OTHER = ("idle", "iowait", "steal")


@dataclass(frozen=True)
class Policy:
    """The clock of cores that run at one speed (Documentation/admin-guide/pm/cpufreq.rst)."""

    cores: str  # As the kernel lists them, "0-3".
    mhz: float | None  # Now.
    lowest_mhz: float | None  # This and the next: the limits that are set now.
    highest_mhz: float | None
    hardware_mhz: float | None  # The hardware's own limit.
    governor: str | None
    driver: str | None  # With intel_pstate and amd-pstate-epp the governors have another meaning.
    preference: str | None  # The energy preference, such as "balance_performance".


@dataclass(frozen=True)
class Clocks:
    """All clocks of a machine."""

    policies: tuple[Policy, ...]  # Empty where the kernel has no cpufreq, as in virtual machines.
    fastest_mhz: float | None  # The clock of the fastest core now, which is the one that a busy thread runs on.
    source: str | None  # "cpufreq", or "cpuinfo", which in a virtual machine is nominal; None if unknown.
    turbo: bool | None  # Whether clocks above the nominal one are allowed; None where there is no such setting.


@dataclass(frozen=True)
class Ticks:
    """Time of all cores since the machine started, in hundredths of a second."""

    total: int
    busy: int  # Part of `total` in which a core worked for any process.
    stolen: int  # Part in which the hypervisor gave the core to another virtual machine.
    own: int  # Part of `busy` used by this process and its ended children.


@dataclass(frozen=True)
class Load:
    """Load counters at one moment."""

    averages: tuple[float, float, float] | None  # Runnable tasks over 1, 5 and 15 minutes, this process included.
    ticks: Ticks | None  # None where the system hides them.
    quota_stops: int | None  # How often the control group's quota has stopped its processes; None without a quota.


@dataclass(frozen=True)
class Shares:
    """Shares 0..1 of all cores' time between two moments, used by other processes and other virtual machines."""

    others: float
    stolen: float


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
        shares, during = self.shares, self.during
        sensors = dict.fromkeys(name for now in during for name in now.temperatures)
        summary = {
            "samples": len(during),
            "seconds": self.after.at_seconds - self.before.at_seconds,
            "fastest_mhz": _spread([now.clocks.fastest_mhz for now in during]),
            "temperatures": {name: _spread([now.temperatures.get(name) for now in during]) for name in sensors},
            "throttled": list(dict.fromkeys(name for now in during for name in now.throttling.now)),
            "others_share": shares.others if shares else None,
            "stolen_share": shares.stolen if shares else None,
            "skipped": list(dict.fromkeys(line for now in during for line in now.skipped)),
        }
        return {"before": self.before.to_dict(), "during": summary, "after": self.after.to_dict()}


def snapshot(root: Path = REAL, system: Any = psutil) -> Conditions:
    """Read the current conditions, right after a block of work, while the cores still run at that block's clock.

    This takes milliseconds and cools the caches, so it is not done in a thread beside the work.
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


def read_clocks(tree: Tree) -> Clocks:
    """Read the current clocks."""
    policies = tuple(_policy(tree, path) for path in tree.paths(f"{CPUFREQ}/policy[0-9]*"))
    clocks, source = [policy.mhz for policy in policies if policy.mhz], "cpufreq"
    if not clocks:
        clocks, source = list(read_cpuinfo(tree).clocks_mhz), "cpuinfo"
    return Clocks(policies, max(clocks, default=None), source if clocks else None, _turbo(tree))


def _policy(tree: Tree, path: str) -> Policy:
    def mhz(name: str) -> float | None:
        khz = tree.integer(f"{path}/{name}")
        # Some drivers answer 0 for a sleeping core.
        return khz / 1000 if khz and khz > 0 else None

    cores = (tree.text(f"{path}/affected_cpus") or "").split()
    return Policy(
        cores=core_list([int(core) for core in cores if core.isascii() and core.isdigit()]),
        mhz=mhz("scaling_cur_freq"),
        lowest_mhz=mhz("scaling_min_freq"),
        highest_mhz=mhz("scaling_max_freq"),
        hardware_mhz=mhz("cpuinfo_max_freq"),
        governor=tree.text(f"{path}/scaling_governor"),
        driver=tree.text(f"{path}/scaling_driver"),
        preference=tree.text(f"{path}/energy_performance_preference"),
    )


def _turbo(tree: Tree) -> bool | None:
    if (disabled := tree.text("sys/devices/system/cpu/intel_pstate/no_turbo")) in ("0", "1"):
        return disabled == "0"
    enabled = tree.text(f"{CPUFREQ}/boost")
    return enabled == "1" if enabled in ("0", "1") else None


def read_load(tree: Tree, system: Any) -> Load:
    """Read the counters; `system` is psutil, or a stand-in for a recorded machine."""
    averages: tuple[float, float, float] | None = None
    with contextlib.suppress(OSError, ValueError):
        first, second, third = system.getloadavg()
        # The kernel gives two digits; psutil gives the binary fraction they come from.
        averages = round(first, 2), round(second, 2), round(third, 2)
    texts = (tree.text(f"{folder}/cpu.stat") or "" for folder in cgroup_folders(tree))
    stops = (re.search(r"^nr_throttled ([0-9]{1,20})$", text, re.MULTILINE) for text in texts)
    return Load(averages, _ticks(system), next((int(stop[1]) for stop in stops if stop), None))


def shares_between(before: Ticks | None, after: Ticks | None) -> Shares | None:
    """Return the shares between two moments; None if they are unknown or no time has passed."""
    if before is None or after is None or after.total <= before.total:
        return None
    total = after.total - before.total
    # The counters of a core and of a process advance separately, so a difference may be just below 0.
    others = max(0, (after.busy - before.busy) - (after.own - before.own))
    return Shares(min(1.0, others / total), min(1.0, max(0, after.stolen - before.stolen) / total))


def _ticks(system: Any) -> Ticks | None:
    try:
        times, own = system.cpu_times(), system.Process().cpu_times()
    except (OSError, ValueError, psutil.Error):
        return None
    # macOS and Windows count fewer kinds.
    counts = {name: round(getattr(times, name, 0.0) * TICKS_A_SECOND) for name in (*BUSY, *OTHER)}
    total = sum(counts.values())
    used = sum((own.user, own.system, own.children_user, own.children_system))
    # Some sandboxes write zeros only.
    return (
        Ticks(total, sum(counts[name] for name in BUSY), counts["steal"], round(used * TICKS_A_SECOND))
        if total
        else None
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
    """Return a Jetson's power mode, from a status "pmode:0002" and settings "< POWER_MODEL ID=2 NAME=MAXN_SUPER >"."""
    match = re.search(r"pmode:([0-9]{1,6})", status)
    if not match:
        return None
    number = int(match[1])
    named = re.search(rf"^\s*<\s*POWER_MODEL\s+ID=0*{number}\s+NAME=(\S+)", settings, re.MULTILINE)
    return named[1] if named else f"mode {number}"


def _spread(values: Sequence[float | None]) -> dict[str, float] | None:
    known = [value for value in values if value is not None]
    return {"lowest": min(known), "median": median(known), "highest": max(known)} if known else None
