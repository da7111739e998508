"""Read in several processes: results in source order, a bounded number of pictures under way."""

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

from edgedigits.bulk.reading import Outcome, ReaderOptions, Task, read_one
from edgedigits_runtime.errors import EdgedigitsError

if TYPE_CHECKING:
    from edgedigits_runtime.reading.reader import Reader

CHUNK = 8
"""Pictures that a process is given at a time: sending each alone would take longer than reading a small one."""

AHEAD = 3
"""Chunks under way or waiting to be shown, for each process."""

_reader: "Reader | None" = None


def read_in_processes(tasks: Iterable[Task], options: ReaderOptions, jobs: int) -> Iterator[Outcome]:
    """Yield an outcome for each task, in their order; see edgedigits.bulk.reading.read_all."""
    # Opened here too, so that a model which cannot be used is one error and not one from each process.
    options.open()
    # A forked copy of an interpreter with threads may hang; a fresh process does not.
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _open_reader, (options,))
    due: deque[Future[list[Outcome]]] = deque()
    rest = iter(tasks)
    try:
        while chunk := list(islice(rest, CHUNK)):
            with _processes_born_deaf_to_ctrl_c():
                due.append(pool.submit(_read, chunk))
            if len(due) >= AHEAD * jobs:
                yield from due.popleft().result()
        while due:
            yield from due.popleft().result()
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


def _open_reader(options: ReaderOptions) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    global _reader
    _reader = options.open()


def _read(tasks: list[Task]) -> list[Outcome]:
    if _reader is None:
        raise EdgedigitsError("a reading process was started without its reader")
    return [read_one(_reader, task) for task in tasks]
