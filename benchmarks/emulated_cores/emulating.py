"""Run a built program in the emulator of its board."""

import re
import subprocess
from dataclasses import dataclass

from benchmarks.emulated_cores.building import Built
from edgedigits_runtime.errors import ExportError

# simavr colours what comes over the serial line, and shows the end of a line as a dot.
SERIAL_LINE = re.compile(r"\x1b\[32m(.*?)\.?$", re.MULTILINE)
LAST_WORDS = 300


@dataclass(frozen=True)
class Ran:
    """What a program printed, and the value that its main() gave (0 on a board that cannot tell)."""

    text: str
    code: int


def run(built: Built, timeout: float = 60, counting: bool = False) -> Ran:
    """Run a program, in the folder that it was built into.

    Args:
        built: what `build` gave.
        timeout: seconds.
        counting: let the emulator's clock advance with each instruction, which is slower.

    Raises:
        ExportError: it crashed, or did not end in time; the message ends with its last words.
    """
    *command, last = built.board.emulator
    command += [*(built.board.counting if counting else ()), last, built.elf.name]
    try:
        done = subprocess.run(
            command,
            cwd=built.elf.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        words = printed(error.stdout or b"")[-LAST_WORDS:]
        raise ExportError(f"{_name(built)} did not end in {timeout:g} s; its last words: {words!r}") from error
    text = printed(done.stdout)
    if done.returncode not in (0, 1):
        raise ExportError(f"{_name(built)} crashed ({done.returncode}); its last words: {text[-LAST_WORDS:]!r}")
    return Ran(text, done.returncode)


def _name(built: Built) -> str:
    return f"{built.program} on {built.board.name}"


def printed(output: bytes) -> str:
    """Return what a program printed, without what simavr puts around it."""
    text = output.decode(errors="replace")
    lines = SERIAL_LINE.findall(text)
    return "\n".join(lines) if lines else text.strip()
