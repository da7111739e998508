"""Read in several processes: results in source order, a bounded number of pictures under way."""

import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from edgedigits.predicting.pictures import CHUNK, Outcome, ReaderOptions, Task, read_each
from edgedigits_runtime.errors import EdgedigitsError

if TYPE_CHECKING:
    from edgedigits_runtime.reading.reader import Reader

Told = TypeVar("Told")

FEW = 8
"""Pictures of the first chunks that processes are given, before it is known how long a picture takes."""

CHUNK_SECONDS = 0.1
"""How long a chunk may take to read, down to FEW pictures: at the end a process may be left alone with one."""

AHEAD = 3
"""Chunks under way or waiting to be shown, for each process."""

_reader: "Reader | None" = None


def tell_from_processes(
    tasks: Iterable[Task], options: ReaderOptions, tell: Callable[[Outcome], Told], jobs: int
) -> Iterator[Sequence[Told]]:
    """Yield what is told of each task's outcome, in their order; see edgedigits.predicting.pictures.tell_all."""
    # A forked copy of an interpreter with threads may hang; a fresh process does not.
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _ignore_ctrl_c)
    due: deque[Future[tuple[list[Told], float]]] = deque()
    rest, size = iter(tasks), FEW
    try:
        while chunk := list(islice(rest, size)):
            with _processes_born_deaf_to_ctrl_c():
                due.append(pool.submit(partial(_read, options, tell), chunk))
            if len(due) >= AHEAD * jobs:
                told, seconds = due.popleft().result()
                size = min(max(int(CHUNK_SECONDS / seconds * len(told)), FEW), CHUNK)
                yield told
        while due:
            yield due.popleft().result()[0]
    except BrokenProcessPool as error:
        raise EdgedigitsError(
            "a reading process ended before it was done, mostly for lack of memory; use fewer --jobs"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _processes_born_deaf_to_ctrl_c() -> Iterator[None]:
    """Ctrl-C reaches every process of a terminal; the first one ends the others, which would print tracebacks.

    A process that is started while a signal is blocked never sees it; here it is dealt with right after.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    # Its own start would end the block.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ignore_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _read(options: ReaderOptions, tell: Callable[[Outcome], Told], tasks: Sequence[Task]) -> tuple[list[Told], float]:
    """Return what is told of each task's outcome, and how many seconds it all took."""
    global _reader
    # Not opened when the process starts: so a model that cannot be used is an error of the first chunk, and only one.
    _reader = _reader or options.open()
    start = time.perf_counter()
    return [tell(outcome) for outcome in read_each(_reader, tasks)], time.perf_counter() - start
