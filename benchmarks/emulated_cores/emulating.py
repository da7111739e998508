"""Run a program in the emulator of its core."""

import re
import subprocess
from dataclasses import dataclass

from benchmarks.emulated_cores.building import Built
from edgedigits_runtime.errors import ExportError

# simavr colours the output of the serial line, and prints the end of a line as a dot.
SERIAL_LINE = re.compile(r"\x1b\[32m(.*?)\.?$", re.MULTILINE)
LAST_OUTPUT = 300


@dataclass(frozen=True)
class Ran:
    """The output of a program and the exit code of its main(), which is always 0 on an AVR."""

    text: str
    code: int


def run(built: Built, timeout: float = 60, counting: bool = False) -> Ran:
    """Run a program, in the folder that it was built into.

    Args:
        built: the result of `build`.
        timeout: seconds.
        counting: whether the emulator's clock advances with each instruction, which is slower.

    Raises:
        ExportError: it crashed, or did not end in time; the message ends with its last output.
    """
    name = f"{built.program} on {built.core.name}"
    *command, last = built.core.emulator
    command += [*(built.core.counting if counting else ()), last, built.elf.name]
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
        output = printed(error.stdout or b"")[-LAST_OUTPUT:]
        raise ExportError(f"{name} did not end in {timeout:g} s; its last output: {output!r}") from error
    text = printed(done.stdout)
    if done.returncode not in (0, 1):
        raise ExportError(f"{name} crashed ({done.returncode}); its last output: {text[-LAST_OUTPUT:]!r}")
    return Ran(text, done.returncode)


def printed(output: bytes) -> str:
    """Return the output of a program without the additions of simavr."""
    text = output.decode(errors="replace")
    lines = SERIAL_LINE.findall(text)
    return "\n".join(lines) if lines else text.strip()
