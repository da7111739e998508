"""What /proc/cpuinfo says, which each architecture writes in words of its own."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgedigits.benchmarking.fingerprint.arm_parts import part_name

FEATURES = {
    # x86, as in arch/x86/include/asm/cpufeatures.h
    "sse4_1": "sse4.1",
    "avx": "avx",
    "avx2": "avx2",
    "fma": "fma",
    "f16c": "f16c",
    "avx_vnni": "avx-vnni",
    "avx_vnni_int8": "avx-vnni-int8",
    "avx512f": "avx512f",
    "avx512bw": "avx512bw",
    "avx512vl": "avx512vl",
    "avx512_vnni": "avx512-vnni",
    "avx512_bf16": "avx512-bf16",
    "avx512_fp16": "avx512-fp16",
    "amx_tile": "amx-tile",
    "amx_int8": "amx-int8",
    "amx_bf16": "amx-bf16",
    # Arm, as in Documentation/arch/arm64/elf_hwcaps.rst and arch/arm/kernel/setup.c
    "neon": "neon",
    "asimd": "neon",
    "vfpv4": "vfpv4",
    "asimdhp": "fp16",
    "asimddp": "dotprod",
    "i8mm": "i8mm",
    "asimdi8mm": "i8mm",
    "bf16": "bf16",
    "asimdbf16": "bf16",
    "sve": "sve",
    "svei8mm": "sve-i8mm",
    "sve2": "sve2",
    "sme": "sme",
}
"""The instructions that kernels of neural networks choose by, from the kernel's word to the usual one."""


@dataclass(frozen=True)
class CpuInfo:
    """/proc/cpuinfo: one block for each core that is online, and what is said of the whole board at its end."""

    cores: tuple[Mapping[str, str], ...]
    board: Mapping[str, str]

    @property
    def words(self) -> frozenset[str]:
        """The features that all cores have, in the kernel's words; those of Arm are under "Features"."""
        of_each = [frozenset((core.get("flags") or core.get("Features") or "").split()) for core in self.cores]
        return frozenset.intersection(*of_each) if of_each else frozenset()

    @property
    def clocks_mhz(self) -> tuple[float, ...]:
        """The clock of each core, where the kernel writes it here: on x86."""
        found = (_number(core.get("cpu MHz")) for core in self.cores)
        return tuple(clock for clock in found if clock)


def parse_cpuinfo(text: str) -> CpuInfo:
    """Take /proc/cpuinfo apart; lines that are no `key : value` are passed over."""
    cores: list[Mapping[str, str]] = []
    board: dict[str, str] = {}
    block: dict[str, str] = {}
    # Split by newlines only: str.splitlines also splits at characters that a firmware's string may hold.
    for line in [*text.split("\n"), ""]:
        key, colon, value = line.partition(":")
        if colon:
            block[key.strip()] = " ".join(value.split())
        elif not line.strip() and block:
            if "processor" in block:
                cores.append(block)
            else:
                board.update(block)
            block = {}
    return CpuInfo(tuple(cores), board)


def architecture(cpuinfo: CpuInfo) -> str | None:
    """Return whose words these are, "x86_64", "x86", "aarch64", "arm" or "riscv64"; None where they are unknown."""
    if not cpuinfo.cores:
        return None
    core, words = cpuinfo.cores[0], cpuinfo.words
    if "flags" in core:
        return "x86_64" if "lm" in words else "x86"
    if "CPU implementer" in core:
        return "aarch64" if "asimd" in words else "arm"
    return "riscv64" if core.get("isa", "").startswith("rv64") else None


def features(cpuinfo: CpuInfo) -> tuple[str, ...]:
    """Return the instructions that matter here, in the order of FEATURES, each once."""
    words = cpuinfo.words
    named = [name for word, name in FEATURES.items() if word in words]
    isa = cpuinfo.cores[0].get("isa", "") if cpuinfo.cores else ""
    # The single letters stand before the first underscore: rv64imafdcv_zicbom...
    if isa.startswith("rv") and "v" in isa.split("_")[0][4:]:
        named.append("rvv")
    return tuple(dict.fromkeys(named))


def model(cpuinfo: CpuInfo) -> str | None:
    """Return the processor's name, "Cortex-A76" or "4 x Cortex-A55 + 4 x Cortex-A76"; None where nothing names it."""
    names = Counter(name for core in cpuinfo.cores if (name := _core_name(core)))
    if len(names) == 1:
        return next(iter(names))
    return " + ".join(f"{count} x {name}" for name, count in names.items()) or None


def _core_name(core: Mapping[str, str]) -> str | None:
    # Before "model name": 32-bit Arm kernels write only "ARMv7 Processor rev 3 (v7l)" there.
    if "CPU implementer" in core and "CPU part" in core:
        return part_name(core["CPU implementer"], core["CPU part"])
    return core.get("model name") or core.get("uarch") or core.get("cpu") or None


def parse_core_list(text: str) -> tuple[int, ...]:
    """Return the cores of a list as the kernel writes it, "0-3,8"; empty where it is none.

    The format is in Documentation/admin-guide/cputopology.rst.
    """
    found: list[int] = []
    for part in text.strip().split(","):
        first, dash, last = part.partition("-")
        if not _is_core(first) or (dash and not _is_core(last)):
            return ()
        found += range(int(first), int(last or first) + 1)
    return tuple(found)


def core_list(cores: Sequence[int]) -> str:
    """Write cores as the kernel does: 0, 1, 2, 3 and 8 as "0-3,8"."""
    runs: list[tuple[int, int]] = []
    for core in sorted(set(cores)):
        if runs and core == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], core)
        else:
            runs.append((core, core))
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def _is_core(text: str) -> bool:
    # More than five digits are no core, and a range of them would fill the memory.
    return text.isascii() and text.isdigit() and len(text) <= 5


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text else None
    except ValueError:
        return None
    return number if number and 0 < number < 100_000 else None
