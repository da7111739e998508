"""Build a program around an exported folder for a board, and say how large it is."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.emulated_cores.board import COMPILING, SUPPORT, Board, Need
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
        flash: of the whole program: code, constants, and the values that variables start with.
        ram: of all variables that are there from start to end; the stack comes on top.
        code, constants: of digits.o: without the library routines that it calls, and with functions that the linker
            leaves out of a program that does not call them.
    """

    flash: int
    ram: int
    code: int
    constants: int


@dataclass(frozen=True)
class Built:
    """A program for a board.

    Args:
        board, program: what was built.
        elf: its file; the emulator runs it in the folder of this file.
        sizes: in bytes.
        symbols: bytes of each function and table in digits.o, the largest first.
    """

    board: Board
    program: str
    elf: Path
    sizes: Sizes
    symbols: dict[str, int]


def available(board: Board) -> str | None:
    """Return None if a board's compiler and emulator are installed, else what is missing and how to get it."""
    missing = [need.package for need in board.needs if not _is_there(need)]
    return f"{board.name} needs {', '.join(missing)}: apt-get install {' '.join(missing)}" if missing else None


def _is_there(need: Need) -> bool:
    if not shutil.which(need.tool):
        return False
    # A compiler answers with the bare name where it finds no such file.
    return not need.file or Path(_output([need.tool, f"-print-file-name={need.file}"])).is_absolute()


def build(folder: Path, board: Board, program: str | Path, into: Path, optimisation: str = "") -> Built:
    """Compile and link a program with the digits.c of `folder`.

    Args:
        folder: an exported folder: digits.h, digits.c, digits_selftest.c.
        board: one of BOARDS.
        program: "selftest", a name in programs/ ("compare", "count", "footprint"), or a C file of your own.
        into: where object files and the program go; made if missing.
        optimisation: such as "-Os"; the board's own where none is given.

    Raises:
        DeviceUnavailable: a package is missing; the message names it.
        DoesNotFit: the chip has less flash or RAM.
        ExportError: the compiler refused the code.
    """
    if reason := available(board):
        raise DeviceUnavailable(reason)
    source = _source(folder, program)
    into.mkdir(parents=True, exist_ok=True)
    elf, digits = into / f"{source.stem}.elf", into / "digits.o"
    compiler = [f"{board.prefix}gcc", *board.flags, *COMPILING, optimisation or board.optimisation]
    compiler += [f"-I{folder.resolve()}", f"-I{SUPPORT}"]
    _compile([*compiler, "-c", str(folder.resolve() / "digits.c"), "-o", str(digits.resolve())], board, "digits", into)
    if program == FOOTPRINT:
        around = ["-nostartfiles", "-Wl,--entry=main", *board.alone]
    else:
        around = [str(SUPPORT / name) for name in board.support]
    linked = [str(source), str(digits.resolve()), *around, *board.linking, "-Wl,--gc-sections", "-lm"]
    _compile([*compiler, *linked, "-o", str(elf.resolve())], board, source.stem, into)
    return Built(board, source.stem, elf, _sizes(board, elf, digits), _symbols(board, digits))


def _source(folder: Path, program: str | Path) -> Path:
    if isinstance(program, Path):
        return program.resolve()
    return folder.resolve() / "digits_selftest.c" if program == SELFTEST else PROGRAM_FILES / f"{program}.c"


def _compile(command: list[str], board: Board, program: str, into: Path) -> None:
    done = subprocess.run(command, cwd=into, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    if overflow := OVERFLOW.search(done.stderr):
        raise DoesNotFit(f"{board.name}: {program} does not fit: {overflow[0]}")
    lines = done.stderr.splitlines()
    first = next((line for line in lines if "error" in line or "undefined" in line), lines[0] if lines else "no word")
    raise ExportError(f"{board.name}: {command[0]} refused {program}: {first.strip()}")


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _sizes(board: Board, elf: Path, digits: Path) -> Sizes:
    size = f"{board.prefix}size"
    text, data, bss = map(int, _output([size, str(elf)]).splitlines()[1].split()[:3])
    # picolibc's linker script keeps 2 KB for a stack, which `size` takes for variables.
    bss -= sections(_output([size, "-A", str(elf)])).get(".stack", 0)
    parts = sections(_output([size, "-A", str(digits)]))
    code, constants = (sum(parts[name] for name in parts if name.startswith(kind)) for kind in (CODE, CONSTANTS))
    return Sizes(flash=text + data, ram=data + bss, code=code, constants=constants)


def sections(listing: str) -> dict[str, int]:
    """Return the bytes of each section from what `size -A` prints."""
    rows = [line.split() for line in listing.splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) == 3 and row[1].isdigit()}


def _symbols(board: Board, digits: Path) -> dict[str, int]:
    rows = [row.split() for row in _output([f"{board.prefix}nm", "-S", "--size-sort", "-r", str(digits)]).splitlines()]
    return {row[3]: int(row[1], 16) for row in rows if len(row) == 4}
