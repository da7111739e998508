"""The processor: its name, its cores and the instructions that neural networks gain by."""

import platform
from dataclasses import asdict, dataclass

from edgedigits.benchmarking.fingerprint import cpuinfo as cpu
from edgedigits.benchmarking.fingerprint.tree import REAL, Tree
from edgedigits_runtime.machine import core_count


@dataclass(frozen=True)
class Processor:
    """What computes.

    Attributes:
        model: its name; None where nothing names it.
        architecture: as the kernel names it: "x86_64", "aarch64".
        cores: that are online, counting each hardware thread.
        physical_cores: without the second thread of each; None where the kernel does not say.
        usable: cores that this process may run on; None for a recorded machine.
        features: instructions that kernels of neural networks choose by; see cpuinfo.FEATURES.
        highest_mhz: the highest clock that its driver names; None where there is none.
    """

    model: str | None
    architecture: str | None
    cores: int | None
    physical_cores: int | None
    usable: int | None
    features: tuple[str, ...]
    highest_mhz: float | None

    def to_dict(self) -> dict[str, object]:
        return {**asdict(self), "features": list(self.features)}


def find_processor(tree: Tree, machine: str | None, emulated: bool) -> Processor:
    """Look at the processor.

    Args:
        machine: the architecture that the system names; that of /proc/cpuinfo if None.
        emulated: whether another processor stands behind it, of which then nothing is said.
    """
    info = cpu.parse_cpuinfo(tree.text("proc/cpuinfo") or "")
    told = cpu.architecture(info)
    foreign = emulated and told is not None and family(told) != family(machine)
    if foreign:
        tree.skip("proc/cpuinfo", f"tells of the {told} processor beneath the emulated {machine}")
    online = cpu.parse_core_list(tree.text("sys/devices/system/cpu/online") or "")
    real = tree.root == REAL
    return Processor(
        model=None if foreign else cpu.model(info) or (_name_by_platform() if real else None),
        architecture=machine or told,
        cores=len(online) or len(info.cores) or (core_count() if real else None),
        physical_cores=None if emulated else _physical_cores(tree),
        usable=core_count() if real else None,
        features=() if foreign else cpu.features(info),
        highest_mhz=None if emulated else _highest_mhz(tree),
    )


def family(architecture: str | None) -> str | None:
    """Return what the 32-bit and 64-bit kinds of an architecture have in common; None for None."""
    if architecture is None:
        return None
    name = architecture.lower()
    if name in ("x86_64", "amd64", "x86") or (name.startswith("i") and name.endswith("86")):
        return "x86"
    if name.startswith(("arm", "aarch64")):
        return "arm"
    return "riscv" if name.startswith("riscv") else name


def _physical_cores(tree: Tree) -> int | None:
    found = set()
    for path in tree.paths("sys/devices/system/cpu/cpu[0-9]*/topology"):
        # The first name is the newer one: Documentation/admin-guide/cputopology.rst.
        siblings = tree.text(f"{path}/core_cpus_list") or tree.text(f"{path}/thread_siblings_list")
        found.add(siblings)
    found.discard(None)
    return len(found) or None


def _highest_mhz(tree: Tree) -> float | None:
    found = [tree.integer(path) for path in tree.paths("sys/devices/system/cpu/cpufreq/policy*/cpuinfo_max_freq")]
    return max((khz / 1000 for khz in found if khz), default=None)


def _name_by_platform() -> str | None:
    # On Linux it repeats the architecture; on Windows it names family, model and maker.
    name = platform.processor()
    return name if name and name not in (platform.machine(), "arm", "i386") else None
