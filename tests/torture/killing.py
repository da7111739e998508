"""Run a command of edgedigits in a fork, and kill -9 it at a chosen moment.

TensorFlow takes seconds to import, and an import writes nothing that a kill could break. So a process that has
imported everything, and run nothing, forks; the fork runs the very `main()` that the shell's command runs, from
parsing its arguments to its exit code, in a session of its own. SIGKILL comes from outside or from the fork itself:
nothing of Python runs after it, no `finally` and no `atexit`; what the process had handed to the kernel stays, and
what it had not is lost, as when a shell's `kill -9` or the kernel's out-of-memory killer ends it. One of twenty kills
is of a fresh interpreter, imports and all.

Where a command writes is told by Python's own audit events (PEP 578), which see every file that Python opens, renames
or removes, and leave the code as it is.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

How = Literal["before", "after", "time", "fresh"]
HOWS: tuple[How, ...] = ("before", "after", "time", "fresh")
SHARES = (0.4, 0.4, 0.15, 0.05)

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate", "os.link", "os.symlink"}
WRITING = os.O_WRONLY | os.O_RDWR
# Seconds after which a command hangs; on a busy machine the slowest takes one minute.
PATIENCE = 600.0


@dataclass(frozen=True)
class Moment:
    """When a process is killed.

    Attributes:
        how: "before" its `number`-th change of a file, by itself; "after" that many, `seconds` later, from outside;
            at a "time", `seconds` after it began; "fresh": the same, of a new interpreter.
        number: counted from 1.
        seconds: see above.
    """

    how: How
    number: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, -9 if it was killed; how many changes and seconds it took; what it said."""

    code: int
    changes: int
    seconds: float
    said: str

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL


def choose(
    rng: np.random.Generator,
    changes: int,
    seconds: float,
    fresh_seconds: float,
    shares: tuple[float, ...] = SHARES,
) -> Moment:
    """Draw a moment: mostly where files change, now and then anywhere.

    Args:
        changes, seconds: of a command that nobody killed.
        fresh_seconds: of one that a new interpreter ran.
        shares: of each of HOWS.
    """
    how: How = HOWS[rng.choice(len(HOWS), p=shares)]
    if how == "fresh":
        return Moment(how, seconds=float(rng.uniform(0, fresh_seconds)))
    if how == "time":
        return Moment(how, seconds=float(rng.uniform(0, seconds)))
    number = int(rng.integers(1, changes + 1))
    # Most changes are followed by another within some milliseconds, a few by seconds of computing.
    soon = rng.choice([0.003, seconds / changes])
    return Moment(how, number, float(rng.exponential(soon)) if how == "after" else 0.0)


def run(
    arguments: list[str],
    folder: Path,
    moment: Moment | None = None,
    *,
    scratch: Path | None = None,
    first: Callable[[], None] | None = None,
) -> Ended:
    """Run `edgedigits ARGUMENTS` in `folder`, and kill it at a moment if one is given.

    Args:
        scratch: for what it says, and for temporary files; `folder` if None.
        first: what the fork does before, such as giving up a right.
    """
    if moment is not None and moment.how == "fresh":
        return run_fresh(arguments, folder, moment.seconds)
    scratch = scratch or folder
    said = scratch / ".said"
    # Before the fork, which may be killed before it does anything.
    said.write_bytes(b"")
    reader, writer = os.pipe()
    start = time.monotonic()
    process = os.fork()
    if process == 0:
        os.close(reader)
        _become_the_command(arguments, folder, scratch, writer, moment, first)
    os.close(writer)
    changes = _wait(process, reader, moment, start)
    os.close(reader)
    _, status = os.waitpid(process, 0)
    seconds = time.monotonic() - start
    end_group(process)
    return Ended(os.waitstatus_to_exitcode(status), changes, seconds, said.read_text(errors="replace"))


def run_fresh(
    arguments: list[str], folder: Path, seconds: float | None = None, more: dict[str, str] | None = None
) -> Ended:
    """The same in a new interpreter, with `more` in its environment, killed after `seconds` if that is given."""
    said, start = folder / ".said", time.monotonic()
    with said.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.killing", *arguments],
            cwd=folder, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True,
            env=_environment(folder) | (more or {}),
        )  # fmt: skip
        try:
            code = process.wait(PATIENCE if seconds is None else seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
    taken = time.monotonic() - start
    end_group(process.pid)
    return Ended(code, 0, taken, said.read_text(errors="replace"))


def end_group(process: int) -> None:
    """End what a killed command left running, such as a converter; it is the leader of a session of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)


def _environment(folder: Path) -> dict[str, str]:
    here = Path(__file__).parents[2]
    paths = [str(here / name) for name in ("", "runtime", "exporters")]
    temporary = folder / ".tmp"
    temporary.mkdir(exist_ok=True)
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")]),
            "TMPDIR": str(temporary), "TF_CPP_MIN_LOG_LEVEL": "3"}  # fmt: skip


def _become_the_command(
    arguments: list[str],
    folder: Path,
    scratch: Path,
    writer: int,
    moment: Moment | None,
    first: Callable[[], None] | None,
) -> None:
    """In the fork: run the command line, and never come back."""
    code: Any = 70
    try:
        os.setsid()
        os.chdir(folder)
        os.environ.update(_environment(scratch))
        # It remembers where it was told to write before the fork.
        tempfile.tempdir = None
        out = os.open(scratch / ".said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        for descriptor in (1, 2):
            os.dup2(out, descriptor)
        sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
        _heed(moment, folder, writer)
        if first is not None:
            first()
        code = command_line(arguments)
    # Whatever the command raises is told, and is no reason to go on as a second driver.
    except BaseException:  # noqa: BLE001
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


def _heed(moment: Moment | None, folder: Path, writer: int) -> None:
    """Tell of each change of a file in the folder, by a byte; or end at the one that is the moment."""
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
        path, _, flags = arguments
        if not isinstance(flags, int) or not flags & WRITING:
            return False
    elif event in CHANGES:
        path = arguments[0]
    else:
        return False
    if not isinstance(path, (str, bytes)):
        return False
    absolute = os.path.abspath(os.fsdecode(path))  # noqa: PTH100  # a hook must not open or resolve anything
    return absolute.startswith(inside) and "/.tmp/" not in absolute


def _wait(process: int, reader: int, moment: Moment | None, start: float) -> int:
    """Read the bytes that tell of changes until the process ends or is killed; return how many there were."""
    changes, end = 0, start + (moment.seconds if moment and moment.how == "time" else PATIENCE)
    while True:
        ready, _, _ = select.select([reader], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            os.kill(process, signal.SIGKILL)
            end = time.monotonic() + PATIENCE
            continue
        told = os.read(reader, 1 if moment else 65536)
        if not told:
            return changes
        changes += len(told)
        if moment is not None and moment.how == "after" and changes == moment.number:
            end = time.monotonic() + moment.seconds


def command_line(arguments: list[str]) -> Any:
    """Run the command line with what attacks need registered, and return its exit code."""
    from edgedigits.cli import main
    from edgedigits.data import DATASETS
    from edgedigits.recipes import RECIPES

    # As visible registers allow: the smallest recipe, and a dataset that a mirror on the loopback serves.
    RECIPES["tiny"] = "tests.torture.tiny"
    DATASETS["served"] = "tests.torture.served"
    sys.argv = ["edgedigits", *arguments]
    try:
        main()
    except SystemExit as end:
        return end.code or 0
    return 0


if __name__ == "__main__":
    sys.exit(command_line(sys.argv[1:]))
