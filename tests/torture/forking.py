"""Run a command of edgedigits in a fork, and end it by SIGKILL at a chosen moment.

Importing TensorFlow takes seconds and writes nothing. So a process that has imported everything, and computed
nothing, forks. The fork runs `main()` from its arguments to its exit code, in a session of its own. After SIGKILL, no
Python code runs, neither `finally` nor `atexit`; only data that the kernel already has is kept. One kill in twenty is
of a new interpreter, including its imports.

Python's audit events (PEP 578) report every file that Python opens for writing, renames or removes.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tests.support.new_interpreter import environment
from tests.torture.runner import redirect

How = Literal["before", "after", "time", "fresh"]
HOWS: tuple[How, ...] = ("before", "after", "time", "fresh")
SHARES = (0.4, 0.4, 0.15, 0.05)

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate", "os.link", "os.symlink"}
WRITING = os.O_WRONLY | os.O_RDWR
OUTPUT = ".output"
TEMPORARY = ".tmp"
# Seconds; on a busy machine the slowest command takes a minute.
TIMEOUT = 600.0


@dataclass(frozen=True)
class Moment:
    """The moment to kill a process.

    Attributes:
        how: "before" a change of a file, by itself; "after" a change, from outside; at a "time" after the start;
            "fresh": at a time, in a new interpreter.
        number: of the change, from 1.
        seconds: after the change or the start.
    """

    how: How
    number: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Ended:
    """The end of a command; the exit code of a killed one is -9."""

    code: int
    changes: int
    seconds: float
    output: str

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL


def choose(
    rng: np.random.Generator, changes: int, seconds: float, fresh_seconds: float, shares: tuple[float, ...] = SHARES
) -> Moment:
    """Draw a moment in a run of so many changes of files and seconds; `shares` are the probabilities of HOWS."""
    how: How = HOWS[rng.choice(len(HOWS), p=shares)]
    if how in ("fresh", "time"):
        return Moment(how, seconds=float(rng.uniform(0, fresh_seconds if how == "fresh" else seconds)))
    number = int(rng.integers(1, changes + 1))
    # Most changes follow each other within milliseconds, a few after seconds of computing.
    soon = rng.choice([0.003, seconds / changes])
    return Moment(how, number, float(rng.exponential(soon)) if how == "after" else 0.0)


def run(
    arguments: list[str], folder: Path, moment: Moment | None = None, *,
    scratch: Path | None = None, first: Callable[[], None] | None = None,
) -> Ended:  # fmt: skip
    """Run `edgedigits ARGUMENTS` in `folder`, and optionally kill it at a moment.

    Args:
        scratch: folder for output and temporary files; `folder` if None.
        first: called in the fork before the command.
    """
    if moment is not None and moment.how == "fresh":
        return run_fresh(arguments, folder, moment.seconds)
    scratch = scratch or folder
    # Now, since the fork may be killed at once.
    (scratch / OUTPUT).write_bytes(b"")
    reader, writer = os.pipe()
    start = time.monotonic()
    process = os.fork()
    if process == 0:
        code: Any = 70
        try:
            os.close(reader)
            os.setsid()
            os.chdir(folder)
            os.environ.update(_environment(scratch))
            # It caches the folder from before the fork.
            tempfile.tempdir = None
            redirect(str(scratch / OUTPUT), 1, 2)
            sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
            _report_changes(moment, folder, writer)
            if first is not None:
                first()
            code = command_line(arguments)
        # The fork must not continue as a second copy of its parent.
        except BaseException:  # noqa: BLE001
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code if isinstance(code, int) else 1)
    os.close(writer)
    changes = _wait(process, reader, moment, start)
    os.close(reader)
    _, status = os.waitpid(process, 0)
    seconds = time.monotonic() - start
    _end_group(process)
    output = (scratch / OUTPUT).read_text(errors="replace")
    return Ended(os.waitstatus_to_exitcode(status), changes, seconds, output)


def run_fresh(
    arguments: list[str], folder: Path, seconds: float | None = None, more: dict[str, str] | None = None
) -> Ended:
    """Run a command in a new interpreter, with `more` in its environment, and kill it after `seconds` if given."""
    output, start = folder / OUTPUT, time.monotonic()
    with output.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.forking", *arguments],
            cwd=folder, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True,
            env=_environment(folder) | (more or {}),
        )  # fmt: skip
        try:
            code = process.wait(TIMEOUT if seconds is None else seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
    duration = time.monotonic() - start
    _end_group(process.pid)
    return Ended(code, 0, duration, output.read_text(errors="replace"))


def _end_group(process: int) -> None:
    """End the remaining children of a killed command, such as a converter."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)


def _environment(folder: Path) -> dict[str, str]:
    (folder / TEMPORARY).mkdir(exist_ok=True)
    return environment({"TMPDIR": str(folder / TEMPORARY)})


def _report_changes(moment: Moment | None, folder: Path, writer: int) -> None:
    """Write a byte for each change of a file in the folder, or end at the one that is the moment."""
    changes = 0
    inside = str(folder.resolve())

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal changes
        if not _is_change(event, arguments, inside):
            return
        changes += 1
        if moment is not None and moment.how == "before" and changes == moment.number:
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(writer, b".")

    sys.addaudithook(hook)


def _is_change(event: str, arguments: tuple[Any, ...], inside: str) -> bool:
    if event == "open":
        flags = arguments[2]
        if not isinstance(flags, int) or not flags & WRITING:
            return False
    elif event not in CHANGES:
        return False
    if not isinstance(path := arguments[0], (str, bytes)):
        return False
    absolute = os.path.abspath(os.fsdecode(path))  # noqa: PTH100  # a hook must not open or resolve anything
    return absolute.startswith(inside) and f"/{TEMPORARY}/" not in absolute


def _wait(process: int, reader: int, moment: Moment | None, start: float) -> int:
    """Count the changes until the process ends, and kill it at the moment."""
    changes, end = 0, start + (moment.seconds if moment and moment.how == "time" else TIMEOUT)
    while True:
        ready, _, _ = select.select([reader], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            os.kill(process, signal.SIGKILL)
            end = time.monotonic() + TIMEOUT
            continue
        received = os.read(reader, 1 if moment else 65536)
        if not received:
            return changes
        changes += len(received)
        if moment is not None and moment.how == "after" and changes == moment.number:
            end = time.monotonic() + moment.seconds


def command_line(arguments: list[str]) -> Any:
    """Run the command line with the recipe "tiny" and the dataset "served" registered; return its exit code."""
    from edgedigits.cli import main
    from edgedigits.data import DATASETS
    from edgedigits.recipes import RECIPES

    RECIPES["tiny"] = "tests.support.tiny_recipe"
    DATASETS["served"] = "tests.torture.served"
    sys.argv = ["edgedigits", *arguments]
    try:
        main()
    except SystemExit as end:
        return end.code or 0
    return 0


if __name__ == "__main__":
    sys.exit(command_line(sys.argv[1:]))
