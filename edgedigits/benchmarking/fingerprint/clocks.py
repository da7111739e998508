"""How fast the cores run, how fast they may, and who decides it: cpufreq."""

from dataclasses import asdict, dataclass
from typing import Any

from edgedigits.benchmarking.fingerprint.cpuinfo import core_list, parse_cpuinfo
from edgedigits.benchmarking.fingerprint.tree import Tree

CPUFREQ = "sys/devices/system/cpu/cpufreq"


@dataclass(frozen=True)
class Policy:
    """The clock of cores that run at one speed, as Documentation/admin-guide/pm/cpufreq.rst defines its parts.

    Attributes:
        cores: as the kernel lists them, "0-3".
        mhz: now; None where the driver does not tell.
        lowest_mhz, highest_mhz: what the settings allow now.
        hardware_mhz: the highest that the hardware can.
        governor: who chooses in between.
        driver: of the hardware; with intel_pstate and amd-pstate-epp the governors have another meaning.
        preference: what the processor is asked to prefer, "balance_performance"; None where it chooses nothing itself.
    """

    cores: str
    mhz: float | None
    lowest_mhz: float | None
    highest_mhz: float | None
    hardware_mhz: float | None
    governor: str | None
    driver: str | None
    preference: str | None


@dataclass(frozen=True)
class Clocks:
    """All clocks of a machine.

    Attributes:
        policies: one for each group of cores; none where the kernel has no cpufreq, as in virtual machines.
        fastest_mhz: the clock of the fastest core now; the one that a busy thread runs on.
        source: "cpufreq", or "cpuinfo", which in a virtual machine is nominal; None where nothing tells.
        turbo: whether clocks above the nominal one are allowed; None where that is no question.
    """

    policies: tuple[Policy, ...]
    fastest_mhz: float | None
    source: str | None
    turbo: bool | None

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "policies": [asdict(policy) for policy in self.policies]}


def read_clocks(tree: Tree) -> Clocks:
    """Read the clocks as they are now."""
    policies = tuple(_policy(tree, path) for path in tree.paths(f"{CPUFREQ}/policy[0-9]*"))
    told = [policy.mhz for policy in policies if policy.mhz]
    source = "cpufreq" if told else None
    if not told:
        told = list(parse_cpuinfo(tree.text("proc/cpuinfo") or "").clocks_mhz)
        source = "cpuinfo" if told else None
    return Clocks(policies, max(told, default=None), source, _turbo(tree))


def _policy(tree: Tree, path: str) -> Policy:
    def mhz(name: str) -> float | None:
        khz = tree.integer(f"{path}/{name}")
        # Some drivers answer 0 for a core that sleeps.
        return khz / 1000 if khz and khz > 0 else None

    return Policy(
        cores=_cores(tree.text(f"{path}/affected_cpus")),
        mhz=mhz("scaling_cur_freq"),
        lowest_mhz=mhz("scaling_min_freq"),
        highest_mhz=mhz("scaling_max_freq"),
        hardware_mhz=mhz("cpuinfo_max_freq"),
        governor=tree.text(f"{path}/scaling_governor"),
        driver=tree.text(f"{path}/scaling_driver"),
        preference=tree.text(f"{path}/energy_performance_preference"),
    )


def _cores(text: str | None) -> str:
    """Write "0 1 2 3", as cpufreq lists its cores, the way that the rest of the kernel does."""
    numbers = (text or "").split()
    return core_list([int(number) for number in numbers if number.isascii() and number.isdigit()])


def _turbo(tree: Tree) -> bool | None:
    if (barred := tree.text("sys/devices/system/cpu/intel_pstate/no_turbo")) in ("0", "1"):
        return barred == "0"
    allowed = tree.text(f"{CPUFREQ}/boost")
    return allowed == "1" if allowed in ("0", "1") else None
