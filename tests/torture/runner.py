"""Shared by the attacks: arguments, recorded results, and forked child processes with limits."""

import argparse
import json
import os
import pickle
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edgedigits.machine.fingerprint import describe_machine
from edgedigits_runtime.child_process import limit_memory
from edgedigits_runtime.whole_files import write_whole

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "reliability"


def parser(description: str | None, kind: str, *, seed: int = 0) -> argparse.ArgumentParser:
    """Return a parser with the options that every attack has; results go to RESULTS/<kind>.json."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--seed", type=int, default=seed)
    made.add_argument(
        "--out", type=Path, default=RESULTS / f"{kind}.json", help="result file; an attack resumes from it"
    )
    return made


def read_result(path: Path) -> dict[str, Any]:
    """Return earlier results; empty if there are none."""
    return json.loads(path.read_text()) if path.is_file() else {}


def record(path: Path, part: str, found: Any) -> None:
    """Write the results of one part of an attack beside those of the other parts, with the machine and the date."""
    parts = {**read_result(path).get("parts", {}), part: {"day": time.strftime("%Y-%m-%d"), **found}}
    write_whole(path, json.dumps({"machine": describe_machine(), "parts": parts}, indent=1) + "\n")


def interrupted(path: Path, part: str, seed: int) -> dict[str, Any]:
    """Return the recorded results of a part with this seed that was interrupted; else empty."""
    known = read_result(path).get("parts", {}).get(part, {})
    if known.get("seed") != seed or known.get("finished"):
        return {}
    return {name: value for name, value in known.items() if name != "day"}


def in_child(work: Callable[[], Any], memory: int = 4_000_000_000) -> tuple[Any, str]:
    """Return the result of `work` in a forked child, and why the child ended early (usually empty).

    Args:
        memory: bytes that the child may allocate in addition to its size at the start; the default is far above
            every limit that is tested.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        done: tuple[Any, str] = (None, "")
        try:
            limit_memory(memory)
            # C libraries print warnings about damaged files; Python errors are returned.
            redirect(os.devnull, 2)
            done = work(), ""
        except BaseException:  # noqa: BLE001
            done = None, traceback.format_exc()[-4000:]
        finally:
            with os.fdopen(writer, "wb") as pipe:
                pickle.dump(done, pipe)
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        received = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return None, "exceeded its processor time" if number == signal.SIGPROF else f"signal {number}"
    return pickle.loads(received) if received else (None, "exited without a result")


@contextmanager
def processor_time(seconds: float) -> Iterator[None]:
    """End this process by SIGPROF if the block takes longer; a decoder in C cannot be stopped otherwise."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def peak_memory(*, reset: bool = False) -> int:
    """Return the peak memory of this process in bytes; `reset` returns the current size and restarts the peak."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    field = "VmRSS:" if reset else "VmHWM:"
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(field))


def redirect(target: int | str, *descriptors: int) -> None:
    """Redirect descriptors of this process to another one, or to a file."""
    opened = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644) if isinstance(target, str) else target
    for descriptor in descriptors:
        os.dup2(opened, descriptor)
    if isinstance(target, str):
        os.close(opened)
