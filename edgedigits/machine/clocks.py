"""The cores' clocks and their limits (cpufreq)."""

from dataclasses import dataclass

from edgedigits.machine.processor import core_list, read_cpuinfo
from edgedigits.machine.tree import Tree

CPUFREQ = "sys/devices/system/cpu/cpufreq"


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
