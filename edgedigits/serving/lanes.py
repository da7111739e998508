"""Lanes: what arrives together is read together, and nothing waits behind what takes long.

All of it runs on the event loop's thread, but for the reading of a lane that has a thread of its own.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from edgedigits.serving.problems import busy, no_place

Task = TypeVar("Task")
Answer = TypeVar("Answer")

Reading = Callable[[Sequence[Task]], Iterable[Answer | Exception]]
"""Yields for each task its answer, or why there is none, in their order."""


class Waiting:
    """Counts what waits in all lanes, so that no more is taken than can be answered in time."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.count = 0

    def enter(self, count: int) -> None:
        """Take `count` more, or refuse them; a request that is alone is never refused.

        Raises:
            Problem: 503.
        """
        if self.count and self.count + count > self.most:
            raise no_place()
        self.count += count

    def leave(self, count: int) -> None:
        self.count -= count


class Lane(Generic[Task, Answer]):
    """Tasks wait here for a few milliseconds, or until those before them are done; then they are read together."""

    def __init__(self, read: Reading[Task, Answer], *, seconds: float, most: int, threaded: bool) -> None:
        """Take what reads.

        Args:
            read: called with up to `most` tasks; never by two threads at once.
            seconds: how long the first task waits for others.
            most: tasks at a time.
            threaded: read in a thread, so that the event loop goes on; without one nothing has to be handed over.
        """
        self._read = read
        self._seconds = seconds
        self._most = most
        self._waiting: deque[tuple[Task, float, asyncio.Future[Answer]]] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reading") if threaded else None
        self._under_way = False

    def submit(self, task: Task, due: float) -> "asyncio.Future[Answer]":
        """Return the answer to come; it is a Problem where `due`, by time.monotonic, is past before reading starts."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((task, due, future))
        if not self._under_way:
            self._under_way = True
            loop.call_later(self._seconds, self._start, loop)
        return future

    def close(self) -> None:
        """End the thread, after what it reads."""
        if self._thread:
            self._thread.shutdown()

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        batch = self._next_batch()
        if not batch:
            self._under_way = False
        elif self._thread:
            self._thread.submit(self._read_in_thread, batch, loop)
        else:
            for (_, future), answer in zip(batch, self._answers(batch), strict=True):
                _deliver(future, answer)
            loop.call_soon(self._start, loop)

    def _next_batch(self) -> list[tuple[Task, "asyncio.Future[Answer]"]]:
        batch: list[tuple[Task, asyncio.Future[Answer]]] = []
        now = time.monotonic()
        while self._waiting and len(batch) < self._most:
            task, due, future = self._waiting.popleft()
            if due < now:
                _deliver(future, busy("it was not this request's turn in time; try again later", "TimedOut"))
            elif not future.done():
                batch.append((task, future))
        return batch

    def _read_in_thread(
        self, batch: list[tuple[Task, "asyncio.Future[Answer]"]], loop: asyncio.AbstractEventLoop
    ) -> None:
        for (_, future), answer in zip(batch, self._answers(batch), strict=True):
            loop.call_soon_threadsafe(_deliver, future, answer)
        loop.call_soon_threadsafe(self._start, loop)

    def _answers(self, batch: list[tuple[Task, "asyncio.Future[Answer]"]]) -> Iterator[Answer | Exception]:
        tasks = [task for task, _ in batch]
        done = 0
        try:
            for answer in self._read(tasks):
                yield answer
                done += 1
        except Exception:  # noqa: BLE001  # It is told to whom it concerns, below.
            for task in tasks[done:]:
                yield self._alone(task)

    def _alone(self, task: Task) -> Answer | Exception:
        """Read one task by itself: where several were in trouble, only the one that made it is."""
        try:
            return next(iter(self._read([task])))
        except Exception as error:  # noqa: BLE001  # Raised where it is awaited.
            return error


def _deliver(future: "asyncio.Future[Answer]", answer: Answer | Exception) -> None:
    if future.done():
        return  # Nobody waits any more.
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
