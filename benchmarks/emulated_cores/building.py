"""Build a program around an exported folder for an emulated core, and measure its size."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.emulated_cores.cores import COMPILING, SUPPORT, Core, Need
from edgedigits_runtime.errors import DeviceUnavailable, ExportError

PROGRAM_FILES = Path(__file__).parent / "programs"
SELFTEST = "selftest"
FOOTPRINT = "footprint"
OVERFLOW = re.compile(
    r"region \S+ overflowed by \d+ bytes|section \S+ is not within region \S+|relocation truncated to fit"
)
CODE, CONSTANTS = (".text",), (".rodata", ".progmem", ".data")


class DoesNotFit(ExportError):
    """The program needs more flash or RAM than the chip has."""


@dataclass(frozen=True)
class Sizes:
    """Bytes.

    Args:
        flash: of the whole program: code, constants, and initial values of variables.
        ram: of all static variables, without the stack.
        code, constants: of digits.o, without library routines, and with functions that the linker leaves out of a
            program that does not call them.
    """

    flash: int
    ram: int
    code: int
    constants: int


@dataclass(frozen=True)
class Built:
    """A program for a core; the emulator runs `elf` in its folder."""

    core: Core
    program: str
    elf: Path
    sizes: Sizes


def available(core: Core) -> str | None:
    """Return None if a core's compiler and emulator are installed, else the missing packages."""
    missing = [need.package for need in core.needs if not _is_there(need)]
    return f"{core.name} needs {', '.join(missing)}: apt-get install {' '.join(missing)}" if missing else None


def _is_there(need: Need) -> bool:
    if not shutil.which(need.tool):
        return False
    # A compiler prints the name as it is where it finds no such file.
    return not need.file or Path(_output([need.tool, f"-print-file-name={need.file}"])).is_absolute()


def build(folder: Path, core: Core, program: str | Path, into: Path, optimisation: str = "") -> Built:
    """Compile and link a program with the digits.c of `folder`.

    Args:
        folder: an exported folder: digits.h, digits.c, digits_selftest.c.
        core: one of CORES.
        program: "selftest", a name in programs/ ("compare", "count", "footprint"), or a C file.
        into: folder for object files and the program; created if missing.
        optimisation: such as "-Os"; "" for the core's default.

    Raises:
        DeviceUnavailable: a package is missing; the message names it.
        DoesNotFit: the chip has less flash or RAM.
        ExportError: the compiler failed.
    """
    if reason := available(core):
        raise DeviceUnavailable(reason)
    source = _source(folder, program)
    into.mkdir(parents=True, exist_ok=True)
    elf, digits = into / f"{source.stem}.elf", into / "digits.o"
    compiler = [f"{core.prefix}gcc", *core.flags, *COMPILING, optimisation or core.optimisation]
    compiler += [f"-I{folder.resolve()}", f"-I{SUPPORT}"]
    _compile([*compiler, "-c", str(folder.resolve() / "digits.c"), "-o", str(digits.resolve())], core, "digits", into)
    if program == FOOTPRINT:
        around = ["-nostartfiles", "-Wl,--entry=main", *core.alone]
    else:
        around = [str(SUPPORT / name) for name in core.support]
    linked = [str(source), str(digits.resolve()), *around, *core.linking, "-Wl,--gc-sections", "-lm"]
    _compile([*compiler, *linked, "-o", str(elf.resolve())], core, source.stem, into)
    return Built(core, source.stem, elf, _sizes(core, elf, digits))


def _source(folder: Path, program: str | Path) -> Path:
    if isinstance(program, Path):
        return program.resolve()
    return folder.resolve() / "digits_selftest.c" if program == SELFTEST else PROGRAM_FILES / f"{program}.c"


def _compile(command: list[str], core: Core, program: str, into: Path) -> None:
    done = subprocess.run(command, cwd=into, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    if overflow := OVERFLOW.search(done.stderr):
        raise DoesNotFit(f"{core.name}: {program} does not fit: {overflow[0]}")
    lines = done.stderr.splitlines()
    first = next((line for line in lines if "error" in line or "undefined" in line), lines[0] if lines else "")
    raise ExportError(f"{core.name}: {command[0]} failed on {program}: {first.strip()}")


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _sizes(core: Core, elf: Path, digits: Path) -> Sizes:
    size = f"{core.prefix}size"
    text, data, bss = map(int, _output([size, str(elf)]).splitlines()[1].split()[:3])
    # picolibc's linker script reserves 2 KB for the stack, which `size` counts as variables.
    bss -= sections(_output([size, "-A", str(elf)])).get(".stack", 0)
    parts = sections(_output([size, "-A", str(digits)]))
    code, constants = (sum(parts[name] for name in parts if name.startswith(kind)) for kind in (CODE, CONSTANTS))
    return Sizes(flash=text + data, ram=data + bss, code=code, constants=constants)


def sections(listing: str) -> dict[str, int]:
    """Return the bytes of each section from the output of `size -A`."""
    rows = [line.split() for line in listing.splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) == 3 and row[1].isdigit()}
