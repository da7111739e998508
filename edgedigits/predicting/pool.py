"""Read pictures in this process or in several. Results come in source order, and few pictures are in memory."""

import signal
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeVar

from edgedigits.predicting.pictures import MAX_CHUNK, Outcome, ReaderOptions, Task, map_here, read_each, unchanged
from edgedigits_runtime.errors import EdgedigitsError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from edgedigits_runtime.reading.reader import Reader

Result = TypeVar("Result")

MIN_CHUNK = 8
"""Pictures of the first chunks, before the time for one picture is known."""

CHUNK_SECONDS = 0.1
"""Target time for a chunk. Long chunks would leave the other processes idle at the end."""

CHUNKS_PER_PROCESS = 3
"""Chunks submitted ahead for each process."""

_reader: "Reader | None" = None


def read_all(tasks: Iterable[Task], options: ReaderOptions, jobs: int = 1) -> Iterator[Outcome]:
    """Yield the outcome of each task, in order; see map_outcomes."""
    return chain.from_iterable(map_outcomes(unchanged, tasks, options, jobs))


def map_outcomes(
    function: Callable[[Outcome], Result], tasks: Iterable[Task], options: ReaderOptions, jobs: int = 1
) -> Generator[Sequence[Result]]:
    """Yield the function's results for each task's outcome, in order, in blocks that are ready together.

    Args:
        function: called in the process that reads, so only its result is sent back.
        tasks: what to read; consumed on demand.
        options: how to open the reader.
        jobs: number of processes. Closing the generator ends them.

    Raises:
        EdgedigitsError: the reader cannot be opened, or a process died.
    """
    if jobs == 1:
        yield from map_here(function, tasks, options)
    else:
        yield from _map_in_processes(function, iter(tasks), options, jobs)


def _map_in_processes(
    function: Callable[[Outcome], Result], tasks: Iterator[Task], options: ReaderOptions, jobs: int
) -> Iterator[Sequence[Result]]:
    # Imported here, because with one process they would take longer than reading a picture.
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    # Forking an interpreter that has threads may hang; spawning does not.
    context, ignore = multiprocessing.get_context("spawn"), (signal.SIGINT, signal.SIG_IGN)
    pool = ProcessPoolExecutor(jobs, context, signal.signal, ignore)
    pending: deque[Future[tuple[list[Result], float]]] = deque()
    size, done, others = MIN_CHUNK, False, set(multiprocessing.active_children())
    try:
        while chunk := list(islice(tasks, size)):
            with sigint_blocked():
                pending.append(pool.submit(partial(_read, options, function), chunk))
            if len(pending) >= CHUNKS_PER_PROCESS * jobs:
                results, seconds = pending.popleft().result()
                size = min(max(int(CHUNK_SECONDS / seconds * len(results)), MIN_CHUNK), MAX_CHUNK)
                yield results
        while pending:
            yield pending.popleft().result()[0]
        done = True
    except BrokenProcessPool as error:
        raise EdgedigitsError(
            "a reading process was killed, probably because memory ran out; use fewer --jobs"
        ) from error
    finally:
        if not done:
            # After Ctrl-C nobody waits until they have read their pictures.
            for process in {*multiprocessing.active_children()} - others:
                process.kill()
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def sigint_blocked() -> Iterator[None]:
    """Block SIGINT while processes start, so that Ctrl-C prints no traceback of a child; children inherit the block."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    # Starting the tracker later would unblock the signal.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _read(
    options: ReaderOptions, function: Callable[[Outcome], Result], tasks: Sequence[Task]
) -> tuple[list[Result], float]:
    """Return the results of the tasks, and the seconds that reading took."""
    global _reader
    # Opened with the first chunk: in the initializer, an unusable model would break the pool without its message.
    _reader = _reader or options.open()
    start = time.perf_counter()
    return [function(outcome) for outcome in read_each(_reader, tasks)], time.perf_counter() - start
