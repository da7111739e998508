"""Batching: requests that arrive together are read together, and small pictures never wait for large ones.

Everything runs on the event loop's thread, except the function of a queue that has its own thread.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from edgedigits.serving.problems import busy

Task = TypeVar("Task")
Result = TypeVar("Result")

BatchFunction = Callable[[Sequence[Task]], Iterable[Result | Exception]]
"""Yields a result or an exception for each task, in order."""

Batch = list[tuple[Task, "asyncio.Future[Result]"]]


class Capacity:
    """Counts what waits in all queues, so that no more is accepted than can be answered in time."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.count = 0

    def enter(self, count: int) -> None:
        """Accept `count` more. A request that waits alone is always accepted.

        Raises:
            Problem: 503.
        """
        if self.count and self.count + count > self.most:
            raise busy()
        self.count += count

    def leave(self, count: int) -> None:
        self.count -= count


class BatchQueue(Generic[Task, Result]):
    """Tasks wait for a few milliseconds, or until the tasks before them are done, and are then read as one batch.

    A task that nothing can join does not wait.
    """

    def __init__(self, function: BatchFunction[Task, Result], *, seconds: float, most: int, threaded: bool) -> None:
        """Prepare the queue.

        Args:
            function: called with up to `most` tasks, never concurrently.
            seconds: time that the first task waits for others.
            most: tasks in a batch.
            threaded: call the function in a thread, which keeps the event loop free but costs a hand-over.
        """
        self._function = function
        self._seconds = seconds
        self._most = most
        self._waiting: deque[tuple[Task, float, asyncio.Future[Result]]] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reading") if threaded else None
        self._scheduled = False

    def submit(self, task: Task, deadline: float, *, alone: bool = False) -> "asyncio.Future[Result]":
        """Return a future.

        Args:
            task: what to read.
            deadline: in time.monotonic; if it passes before the task starts, the future fails with a Problem.
            alone: no other request is there whose tasks may join this one.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((task, deadline, future))
        if not self._scheduled:
            self._scheduled = True
            # Even then after the other tasks of the same request.
            loop.call_later(0 if alone else self._seconds, self._start, loop)
        return future

    def close(self) -> None:
        """End the thread after its current batch."""
        if self._thread:
            self._thread.shutdown()

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        batch = self._next_batch()
        if not batch:
            self._scheduled = False
        elif self._thread:
            self._thread.submit(self._run, batch, loop, lambda *given: loop.call_soon_threadsafe(_resolve, *given))
        else:
            self._run(batch, loop, _resolve)

    def _next_batch(self) -> "Batch[Task, Result]":
        batch: Batch[Task, Result] = []
        now = time.monotonic()
        while self._waiting and len(batch) < self._most:
            task, deadline, future = self._waiting.popleft()
            if deadline < now:
                _resolve(future, busy("the request waited too long; try again later", "TimedOut"))
            elif not future.done():
                batch.append((task, future))
        return batch

    def _run(
        self, batch: "Batch[Task, Result]", loop: asyncio.AbstractEventLoop, resolve: Callable[..., object]
    ) -> None:
        for (_, future), result in zip(batch, self._results([task for task, _ in batch]), strict=True):
            resolve(future, result)
        loop.call_soon_threadsafe(self._start, loop)

    def _results(self, tasks: Sequence[Task]) -> Iterator[Result | Exception]:
        done = 0
        try:
            for result in self._function(tasks):
                yield result
                done += 1
        except Exception:  # noqa: BLE001  # Raised again below, by the task that causes it.
            for task in tasks[done:]:
                try:
                    yield next(iter(self._function([task])))
                except Exception as error:  # noqa: BLE001  # Raised where the future is awaited.
                    yield error


def _resolve(future: "asyncio.Future[Result]", result: Result | Exception) -> None:
    if future.done():
        return  # Cancelled: the client is gone.
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
