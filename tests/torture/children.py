"""Children: work in a process of its own, with limits, whose end the parent survives and can name."""

import os
import pickle
import resource
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MEMORY_GUARD = 4_000_000_000
"""Bytes that a child may take beyond what it begins with: so far above any bound that is checked that only a fault
meets it, and so far below what a machine has that this one is safe."""


def in_child(work: Callable[[], Any]) -> tuple[Any, str]:
    """Return what `work` returns in a child process, and what ended the child early: mostly nothing."""
    told, tell = os.pipe()
    child = os.fork()
    if not child:
        os.close(told)
        done: tuple[Any, str] = (None, "")
        try:
            _limit_memory()
            done = work(), ""
        except BaseException:  # noqa: BLE001
            done = None, traceback.format_exc()[-4000:]
        finally:
            with os.fdopen(tell, "wb") as pipe:
                pickle.dump(done, pipe)
            os._exit(0)
    os.close(tell)
    with os.fdopen(told, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return None, "more processor time than allowed" if number == signal.SIGPROF else f"signal {number}"
    return pickle.loads(said) if said else (None, "an end without a word")


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY_GUARD
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@contextmanager
def processor_time(seconds: float) -> Iterator[None]:
    """End this process, as a decoder in C cannot be ended otherwise, where what follows takes longer."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def most_memory(*, anew: bool = False) -> int:
    """Return the most bytes that this process ever had in memory; `anew` forgets what was before, and returns now's."""
    if anew:
        Path("/proc/self/clear_refs").write_text("5")
    field = "VmRSS:" if anew else "VmHWM:"
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(field))


@contextmanager
def quiet() -> Iterator[None]:
    """Send what C libraries print of damaged files nowhere."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
