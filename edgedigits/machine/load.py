"""The machine's load: the cores' time by who used it."""

import re
from dataclasses import dataclass
from typing import Any

import psutil

from edgedigits.machine.environment import cgroup_folders
from edgedigits.machine.tree import Tree

TICKS_A_SECOND = 100
BUSY = ("user", "nice", "system", "irq", "softirq")
OTHER = ("idle", "iowait", "steal")


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


def read_load(tree: Tree, system: Any) -> Load:
    """Read the counters; `system` is psutil, or a stand-in for a recorded machine."""
    return Load(_averages(system), _ticks(system), _quota_stops(tree))


def shares_between(before: Ticks | None, after: Ticks | None) -> Shares | None:
    """Return the shares between two moments; None if they are unknown or no time has passed."""
    if before is None or after is None or after.total <= before.total:
        return None
    total = after.total - before.total
    # The counters of a core and of a process advance separately, so a difference may be just below 0.
    others = max(0, (after.busy - before.busy) - (after.own - before.own))
    return Shares(min(1.0, others / total), min(1.0, max(0, after.stolen - before.stolen) / total))


def _averages(system: Any) -> tuple[float, float, float] | None:
    try:
        first, second, third = system.getloadavg()
    except (OSError, ValueError):
        return None
    # The kernel gives two digits; psutil gives the binary fraction they come from.
    return round(first, 2), round(second, 2), round(third, 2)


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


def _quota_stops(tree: Tree) -> int | None:
    for folder in cgroup_folders(tree):
        match = re.search(r"^nr_throttled ([0-9]{1,20})$", tree.text(f"{folder}/cpu.stat") or "", re.MULTILINE)
        if match:
            return int(match[1])
    return None
