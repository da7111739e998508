"""Emulated cores that an exported folder is built for and run on, each with its compiler and its emulator."""

from dataclasses import dataclass
from pathlib import Path

SUPPORT = Path(__file__).parent / "support"

# -ffp-contract=off: a fused multiply-add rounds once where LiteRT rounds twice.
COMPILING = ("-std=c99", "-ffp-contract=off", "-ffunction-sections", "-fdata-sections", "-Wall", "-Wextra")


@dataclass(frozen=True)
class Need:
    """A Debian package, and how to check that it is installed.

    Args:
        package: its name.
        tool: a program of the package, or a compiler that uses it.
        file: a file of the package that `tool -print-file-name=` finds; "" where the tool is enough.
    """

    package: str
    tool: str
    file: str = ""


@dataclass(frozen=True)
class Core:
    """An emulated core, its compiler and its emulator.

    Args:
        name: its key in CORES.
        title: the core and the emulated machine.
        needs: Debian packages.
        prefix: of the tools' names, such as "arm-none-eabi-" in arm-none-eabi-gcc.
        flags: of the compiler, for this core.
        linking: further flags, for a program that runs in the emulator.
        support: files of support/ that every such program needs.
        emulator: the command that runs a program; the file of the program follows.
        counting: further arguments of that command to count instructions.
        alone: further flags to link the classifier alone, for its size.
        optimisation: default level of the compiler.
        flash: bytes of the chip; None where the emulated machine is the only limit.
        unit: of `count`: "instructions", "cycles", or "" where it cannot count.
    """

    name: str
    title: str
    needs: tuple[Need, ...]
    prefix: str
    flags: tuple[str, ...]
    linking: tuple[str, ...]
    support: tuple[str, ...]
    emulator: tuple[str, ...]
    counting: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()
    optimisation: str = "-O3"
    flash: int | None = None
    unit: str = "instructions"


SEMIHOSTING = ("-nographic", "-monitor", "none", "-serial", "none", "-semihosting-config", "enable=on,target=native")
COUNTING = ("-icount", "shift=0")

ARM = (
    Need("gcc-arm-none-eabi", "arm-none-eabi-gcc"),
    Need("libnewlib-arm-none-eabi", "arm-none-eabi-gcc", "rdimon.specs"),
    Need("qemu-system-arm", "qemu-system-arm"),
)


def _cortex_m(core: str, machine: str, megahertz: int, *flags: str, start: tuple[int, int] = (0, 0x20000000)) -> Core:
    """Return a Cortex-M on one of Arm's MPS machines.

    Args:
        core: such as "cortex-m4f"; the compiler's name for it lacks the f.
        machine: QEMU's name for it.
        megahertz: the clock of its SysTick.
        flags: of the compiler, besides -mcpu.
        start: addresses of the program's memory and of its variables.
    """
    flash, ram = start
    return Core(
        name=core,
        title=f"{core.replace('cortex-m', 'Cortex-M').replace('f', 'F')} ({machine})",
        needs=ARM,
        prefix="arm-none-eabi-",
        flags=(f"-mcpu={core.removesuffix('f')}", "-mthumb", *flags, f"-DTICK_QUARTERS={4000 // megahertz}"),
        linking=(
            *("--specs=nano.specs", "--specs=rdimon.specs", f"-T{SUPPORT / 'cortex_m.ld'}"),
            f"-Wl,--defsym=FLASH={flash:#x},--defsym=RAM={ram:#x}",
        ),
        support=("cortex_m.c",),
        emulator=("qemu-system-arm", "-machine", machine, *SEMIHOSTING, "-kernel"),
        counting=COUNTING,
    )


HARD_FLOAT = "-mfloat-abi=hard"

_ALL = (
    # No emulated Cortex-M0 has enough memory for every model, and a Cortex-M3 has all of its instructions.
    _cortex_m("cortex-m0", "mps2-an385", 25),
    _cortex_m("cortex-m3", "mps2-an385", 25),
    _cortex_m("cortex-m4f", "mps2-an386", 25, HARD_FLOAT),
    _cortex_m("cortex-m7", "mps2-an500", 25, HARD_FLOAT),
    _cortex_m("cortex-m33", "mps2-an505", 20, HARD_FLOAT, start=(0x10000000, 0x38000000)),
    _cortex_m("cortex-m55", "mps3-an547", 32, HARD_FLOAT),
    Core(
        name="aarch64",
        title="AArch64 (user mode)",
        needs=(
            Need("gcc-aarch64-linux-gnu", "aarch64-linux-gnu-gcc"),
            Need("libc6-dev-arm64-cross", "aarch64-linux-gnu-gcc", "libc.a"),
            Need("qemu-user-static", "qemu-aarch64-static"),
        ),
        prefix="aarch64-linux-gnu-",
        flags=("-mcpu=cortex-a72",),
        linking=("-static",),
        support=(),
        emulator=("qemu-aarch64-static", "-cpu", "cortex-a72"),
        # The operating system brings the C library.
        alone=("-nodefaultlibs", "-Wl,--unresolved-symbols=ignore-all"),
        unit="",
    ),
    Core(
        name="riscv32",
        title="RV32IMAC (virt)",
        needs=(
            Need("gcc-riscv64-unknown-elf", "riscv64-unknown-elf-gcc"),
            Need("picolibc-riscv64-unknown-elf", "riscv64-unknown-elf-gcc", "picolibc.specs"),
            Need("qemu-system-misc", "qemu-system-riscv32"),
        ),
        prefix="riscv64-unknown-elf-",
        # The specs name the folder of picolibc's headers, so compiling needs them too.
        flags=("-march=rv32imac", "-mabi=ilp32", "--specs=picolibc.specs"),
        linking=(
            *("--crt0=hosted", "--oslib=semihost"),
            "-Wl,--defsym=__flash=0x80000000,--defsym=__flash_size=0x400000",
            "-Wl,--defsym=__ram=0x80400000,--defsym=__ram_size=0x400000",
        ),
        support=("riscv.c",),
        emulator=("qemu-system-riscv32", "-machine", "virt", "-bios", "none", *SEMIHOSTING, "-kernel"),
        counting=COUNTING,
    ),
    Core(
        name="atmega328p",
        title="ATmega328P (Arduino Uno, 16 MHz)",
        needs=(
            Need("gcc-avr", "avr-gcc"),
            Need("avr-libc", "avr-gcc", "avr5/libc.a"),
            Need("simavr", "simavr"),
        ),
        prefix="avr-",
        flags=("-mmcu=atmega328p", "-DF_CPU=16000000UL"),
        linking=(),
        support=("avr.c",),
        emulator=("simavr", "-m", "atmega328p", "-f", "16000000"),
        optimisation="-Os",
        flash=32768,
        unit="cycles",
    ),
)
CORES = {core.name: core for core in _ALL}
