"""The processor: its name, its cores, and the instructions that kernels of neural networks use."""

import platform
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgedigits.machine.tree import REAL, Tree
from edgedigits_runtime.machine import core_count

FEATURES = {
    # x86, as in arch/x86/include/asm/cpufeatures.h
    "sse4_1": "sse4.1", "avx": "avx", "avx2": "avx2", "fma": "fma", "f16c": "f16c", "avx_vnni": "avx-vnni",
    "avx_vnni_int8": "avx-vnni-int8", "avx512f": "avx512f", "avx512bw": "avx512bw", "avx512vl": "avx512vl",
    "avx512_vnni": "avx512-vnni", "avx512_bf16": "avx512-bf16", "avx512_fp16": "avx512-fp16", "amx_tile": "amx-tile",
    "amx_int8": "amx-int8", "amx_bf16": "amx-bf16",
    # Arm, as in Documentation/arch/arm64/elf_hwcaps.rst and arch/arm/kernel/setup.c
    "neon": "neon", "asimd": "neon", "vfpv4": "vfpv4", "asimdhp": "fp16", "asimddp": "dotprod", "i8mm": "i8mm",
    "asimdi8mm": "i8mm", "bf16": "bf16", "asimdbf16": "bf16", "sve": "sve", "svei8mm": "sve-i8mm", "sve2": "sve2",
    "sme": "sme",
}  # fmt: skip
"""Relevant instruction sets: the kernel's word, and the common name."""

ARM_IMPLEMENTERS = {
    0x41: "Arm", 0x42: "Broadcom", 0x43: "Cavium", 0x46: "Fujitsu", 0x48: "HiSilicon", 0x4E: "NVIDIA", 0x50: "APM",
    0x51: "Qualcomm", 0x53: "Samsung", 0x56: "Marvell", 0x61: "Apple", 0x6D: "Microsoft", 0xC0: "Ampere",
}  # fmt: skip
ARM_PARTS = {
    (0x41, 0xB76): "ARM1176", (0x41, 0xC05): "Cortex-A5", (0x41, 0xC07): "Cortex-A7", (0x41, 0xC08): "Cortex-A8",
    (0x41, 0xC09): "Cortex-A9", (0x41, 0xC0D): "Cortex-A17", (0x41, 0xC0E): "Cortex-A17", (0x41, 0xC0F): "Cortex-A15",
    (0x41, 0xD01): "Cortex-A32", (0x41, 0xD03): "Cortex-A53", (0x41, 0xD04): "Cortex-A35",
    (0x41, 0xD05): "Cortex-A55", (0x41, 0xD06): "Cortex-A65", (0x41, 0xD07): "Cortex-A57",
    (0x41, 0xD08): "Cortex-A72", (0x41, 0xD09): "Cortex-A73", (0x41, 0xD0A): "Cortex-A75",
    (0x41, 0xD0B): "Cortex-A76", (0x41, 0xD0C): "Neoverse-N1", (0x41, 0xD0D): "Cortex-A77",
    (0x41, 0xD0E): "Cortex-A76AE", (0x41, 0xD40): "Neoverse-V1", (0x41, 0xD41): "Cortex-A78",
    (0x41, 0xD42): "Cortex-A78AE", (0x41, 0xD44): "Cortex-X1", (0x41, 0xD46): "Cortex-A510",
    (0x41, 0xD47): "Cortex-A710", (0x41, 0xD48): "Cortex-X2", (0x41, 0xD49): "Neoverse-N2",
    (0x41, 0xD4B): "Cortex-A78C", (0x41, 0xD4D): "Cortex-A715", (0x41, 0xD4E): "Cortex-X3",
    (0x41, 0xD4F): "Neoverse-V2", (0x41, 0xD80): "Cortex-A520", (0x41, 0xD81): "Cortex-A720",
    (0x41, 0xD82): "Cortex-X4", (0x41, 0xD83): "Neoverse-V3AE", (0x41, 0xD84): "Neoverse-V3",
    (0x41, 0xD85): "Cortex-X925", (0x41, 0xD87): "Cortex-A725", (0x41, 0xD8E): "Neoverse-N3",
    (0x4E, 0x003): "Denver 2", (0x4E, 0x004): "Carmel", (0x51, 0x800): "Kryo Gold (Cortex-A73)",
    (0x51, 0x801): "Kryo Silver (Cortex-A53)", (0x51, 0x802): "Kryo Gold (Cortex-A75)",
    (0x51, 0x803): "Kryo Silver (Cortex-A55)", (0x51, 0x804): "Kryo Gold (Cortex-A76)",
    (0x51, 0x805): "Kryo Silver (Cortex-A55)", (0xC0, 0xAC3): "Ampere-1", (0xC0, 0xAC4): "Ampere-1a",
}  # fmt: skip
"""Names of Arm cores by implementer and part number, as /proc/cpuinfo gives them.

Sources: arch/arm64/include/asm/cputype.h in the Linux kernel, and lscpu-arm.c in util-linux.
"""


@dataclass(frozen=True)
class Processor:
    """The processor; None for whatever the machine does not report."""

    model: str | None
    architecture: str | None  # As the kernel names it: "x86_64", "aarch64".
    cores: int | None  # Online, counting each hardware thread; `physical_cores` counts each core once.
    physical_cores: int | None
    usable: int | None  # Cores that this process may run on; None for a recorded machine.
    features: tuple[str, ...]  # Values of FEATURES.
    highest_mhz: float | None  # The highest clock that the cpufreq driver names.


@dataclass(frozen=True)
class CpuInfo:
    """The blocks of /proc/cpuinfo that describe a core, one for each online core."""

    cores: tuple[Mapping[str, str], ...]

    @property
    def words(self) -> frozenset[str]:
        """The features that all cores have, in the kernel's words; Arm lists them under "Features"."""
        by_core = [frozenset((core.get("flags") or core.get("Features") or "").split()) for core in self.cores]
        return frozenset.intersection(*by_core) if by_core else frozenset()

    @property
    def clocks_mhz(self) -> tuple[float, ...]:
        """The clock of each core; the kernel writes it here on x86 only."""
        texts = (core.get("cpu MHz", "") for core in self.cores)
        clocks = (float(text) for text in texts if re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,9})?", text))
        return tuple(clock for clock in clocks if clock)


def find_processor(tree: Tree, system: Any, machine: str | None, emulated: bool) -> Processor:
    """Describe the processor of the architecture `machine`; if `emulated`, the real one behind it is left out."""
    info = read_cpuinfo(tree)
    reported = architecture(info)
    foreign = emulated and reported is not None and family(reported) != family(machine)
    if foreign:
        tree.skip("proc/cpuinfo", f"describes the {reported} processor, not the emulated {machine}")
    clocks = () if emulated else tree.paths("sys/devices/system/cpu/cpufreq/policy*/cpuinfo_max_freq")
    limits = [tree.integer(path) for path in clocks]
    real = tree.root == REAL
    return Processor(
        model=None if foreign else model(info) or (_name_by_platform() if real else None),
        architecture=machine or reported,
        cores=system.cpu_count() or len(info.cores) or None,
        physical_cores=None if emulated else system.cpu_count(logical=False),
        usable=core_count() if real else None,
        features=() if foreign else features(info),
        highest_mhz=max((khz / 1000 for khz in limits if khz), default=None),
    )


def read_cpuinfo(tree: Tree) -> CpuInfo:
    return parse_cpuinfo(tree.text("proc/cpuinfo") or "")


def parse_cpuinfo(text: str) -> CpuInfo:
    """Split /proc/cpuinfo into its blocks; lines without a colon are ignored."""
    cores: list[Mapping[str, str]] = []
    block: dict[str, str] = {}
    # Split by newlines only: str.splitlines also splits at characters that a firmware's string may hold.
    for line in [*text.split("\n"), ""]:
        key, colon, value = line.partition(":")
        if colon:
            block[key.strip()] = " ".join(value.split())
        elif not line.strip() and block:
            # The last block describes the board.
            if "processor" in block:
                cores.append(block)
            block = {}
    return CpuInfo(tuple(cores))


def architecture(cpuinfo: CpuInfo) -> str | None:
    """Return "x86_64", "x86", "aarch64", "arm" or "riscv64"; None if unknown."""
    if not cpuinfo.cores:
        return None
    core, words = cpuinfo.cores[0], cpuinfo.words
    if "flags" in core:
        return "x86_64" if "lm" in words else "x86"
    if "CPU implementer" in core:
        return "aarch64" if "asimd" in words else "arm"
    return "riscv64" if core.get("isa", "").startswith("rv64") else None


def family(architecture: str | None) -> str | None:
    """Return the common name of an architecture's 32-bit and 64-bit kinds; None for None."""
    if architecture is None:
        return None
    name = architecture.lower()
    if name in ("x86_64", "amd64", "x86") or (name.startswith("i") and name.endswith("86")):
        return "x86"
    if name.startswith(("arm", "aarch64")):
        return "arm"
    return "riscv" if name.startswith("riscv") else name


def features(cpuinfo: CpuInfo) -> tuple[str, ...]:
    """Return the relevant instruction sets, each once, in the order of FEATURES."""
    words = cpuinfo.words
    named = [name for word, name in FEATURES.items() if word in words]
    isa = cpuinfo.cores[0].get("isa", "") if cpuinfo.cores else ""
    # The single letters stand before the first underscore: rv64imafdcv_zicbom...
    if isa.startswith("rv") and "v" in isa.split("_")[0][4:]:
        named.append("rvv")
    return tuple(dict.fromkeys(named))


def model(cpuinfo: CpuInfo) -> str | None:
    """Return the processor's name, such as "Cortex-A76" or "4 x Cortex-A55 + 4 x Cortex-A76"; None if unknown."""
    names = Counter(name for core in cpuinfo.cores if (name := _core_name(core)))
    if len(names) == 1:
        return next(iter(names))
    return " + ".join(f"{count} x {name}" for name, count in names.items()) or None


def arm_part(core: Mapping[str, str]) -> tuple[int, int] | None:
    """Return implementer and part number of an Arm core; None for other cores."""
    try:
        return int(core["CPU implementer"], 16), int(core["CPU part"], 16)
    except (KeyError, ValueError):
        return None


def _core_name(core: Mapping[str, str]) -> str | None:
    # Before "model name": 32-bit Arm kernels write only "ARMv7 Processor rev 3 (v7l)" there.
    if "CPU implementer" in core and "CPU part" in core:
        part = arm_part(core)
        if part is None:
            return None
        vendor = ARM_IMPLEMENTERS.get(part[0], f"implementer {part[0]:#04x}")
        return ARM_PARTS.get(part, f"{vendor} part {part[1]:#05x}")
    return core.get("model name") or core.get("uarch") or core.get("cpu") or None


def core_list(cores: Sequence[int]) -> str:
    """Write core numbers as the kernel does: 0, 1, 2, 3 and 8 as "0-3,8" (admin-guide/cputopology.rst)."""
    runs: list[tuple[int, int]] = []
    for core in sorted(set(cores)):
        if runs and core == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], core)
        else:
            runs.append((core, core))
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def _name_by_platform() -> str | None:
    # On Linux it repeats the architecture; on Windows it names family, model and maker.
    name = platform.processor()
    return name if name and name not in (platform.machine(), "arm", "i386") else None
