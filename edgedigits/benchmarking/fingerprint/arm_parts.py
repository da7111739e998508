"""The names of Arm cores, which /proc/cpuinfo gives as an implementer and a part.

The numbers are those of arch/arm64/include/asm/cputype.h in the Linux kernel, and of lscpu-arm.c in util-linux.
"""

IMPLEMENTERS = {
    0x41: "Arm",
    0x42: "Broadcom",
    0x43: "Cavium",
    0x46: "Fujitsu",
    0x48: "HiSilicon",
    0x4E: "NVIDIA",
    0x50: "APM",
    0x51: "Qualcomm",
    0x53: "Samsung",
    0x56: "Marvell",
    0x61: "Apple",
    0x6D: "Microsoft",
    0xC0: "Ampere",
}

PARTS = {
    (0x41, 0xB76): "ARM1176",
    (0x41, 0xC05): "Cortex-A5",
    (0x41, 0xC07): "Cortex-A7",
    (0x41, 0xC08): "Cortex-A8",
    (0x41, 0xC09): "Cortex-A9",
    (0x41, 0xC0D): "Cortex-A17",
    (0x41, 0xC0E): "Cortex-A17",
    (0x41, 0xC0F): "Cortex-A15",
    (0x41, 0xD01): "Cortex-A32",
    (0x41, 0xD03): "Cortex-A53",
    (0x41, 0xD04): "Cortex-A35",
    (0x41, 0xD05): "Cortex-A55",
    (0x41, 0xD06): "Cortex-A65",
    (0x41, 0xD07): "Cortex-A57",
    (0x41, 0xD08): "Cortex-A72",
    (0x41, 0xD09): "Cortex-A73",
    (0x41, 0xD0A): "Cortex-A75",
    (0x41, 0xD0B): "Cortex-A76",
    (0x41, 0xD0C): "Neoverse-N1",
    (0x41, 0xD0D): "Cortex-A77",
    (0x41, 0xD0E): "Cortex-A76AE",
    (0x41, 0xD40): "Neoverse-V1",
    (0x41, 0xD41): "Cortex-A78",
    (0x41, 0xD42): "Cortex-A78AE",
    (0x41, 0xD44): "Cortex-X1",
    (0x41, 0xD46): "Cortex-A510",
    (0x41, 0xD47): "Cortex-A710",
    (0x41, 0xD48): "Cortex-X2",
    (0x41, 0xD49): "Neoverse-N2",
    (0x41, 0xD4B): "Cortex-A78C",
    (0x41, 0xD4D): "Cortex-A715",
    (0x41, 0xD4E): "Cortex-X3",
    (0x41, 0xD4F): "Neoverse-V2",
    (0x41, 0xD80): "Cortex-A520",
    (0x41, 0xD81): "Cortex-A720",
    (0x41, 0xD82): "Cortex-X4",
    (0x41, 0xD83): "Neoverse-V3AE",
    (0x41, 0xD84): "Neoverse-V3",
    (0x41, 0xD85): "Cortex-X925",
    (0x41, 0xD87): "Cortex-A725",
    (0x41, 0xD8E): "Neoverse-N3",
    (0x4E, 0x003): "Denver 2",
    (0x4E, 0x004): "Carmel",
    (0x51, 0x800): "Kryo Gold (Cortex-A73)",
    (0x51, 0x801): "Kryo Silver (Cortex-A53)",
    (0x51, 0x802): "Kryo Gold (Cortex-A75)",
    (0x51, 0x803): "Kryo Silver (Cortex-A55)",
    (0x51, 0x804): "Kryo Gold (Cortex-A76)",
    (0x51, 0x805): "Kryo Silver (Cortex-A55)",
    (0xC0, 0xAC3): "Ampere-1",
    (0xC0, 0xAC4): "Ampere-1a",
}

EMULATED = (0x00, 0x051)
"""What QEMU gives its processor "max", which exists nowhere else (target/arm/tcg/cpu64.c in QEMU)."""


def part_name(implementer: str, part: str) -> str | None:
    """Return a core's name from "0x41" and "0xd08"; the numbers themselves where they are in no list."""
    numbers = midr(implementer, part)
    if numbers is None:
        return None
    if numbers in PARTS:
        return PARTS[numbers]
    vendor = IMPLEMENTERS.get(numbers[0], f"implementer {numbers[0]:#04x}")
    return f"{vendor} part {numbers[1]:#05x}"


def midr(implementer: str, part: str) -> tuple[int, int] | None:
    """Return both as numbers; None where they are none."""
    try:
        return int(implementer, 16), int(part, 16)
    except ValueError:
        return None
