"""Batching: order, batch sizes, deadlines, errors and capacity."""

import asyncio
import threading
import time
from collections.abc import Iterable, Sequence

import pytest

from edgedigits.serving.batching import BatchQueue, Capacity
from edgedigits.serving.problems import Problem

LATER = time.monotonic() + 3600


class Doubling:
    """Doubles numbers; records its batches and threads."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.threads: set[str] = set()

    def __call__(self, tasks: Sequence[int]) -> Iterable[int | Exception]:
        self.batches.append(list(tasks))
        self.threads.add(threading.current_thread().name)
        for task in tasks:
            if task == 13:
                raise ZeroDivisionError("13")
            yield ValueError("7") if task == 7 else 2 * task


def results(queue: BatchQueue[int, int], tasks: Sequence[int], due: float = LATER) -> list[int | BaseException]:
    async def ask() -> list[int | BaseException]:
        return await asyncio.gather(*(queue.submit(task, due) for task in tasks), return_exceptions=True)

    return asyncio.run(ask())


@pytest.mark.parametrize("threaded", [False, True])
def test_tasks_are_batched_up_to_the_limit(threaded: bool) -> None:
    read = Doubling()
    queue = BatchQueue(read, seconds=0.01, most=4, threaded=threaded)
    assert results(queue, range(20, 30)) == list(range(40, 60, 2))
    queue.close()
    assert read.batches == [[20, 21, 22, 23], [24, 25, 26, 27], [28, 29]]
    assert [name.startswith("reading") for name in read.threads] == [threaded]


@pytest.mark.parametrize("threaded", [False, True])
def test_a_failing_task_does_not_affect_others(threaded: bool) -> None:
    queue = BatchQueue(Doubling(), seconds=0, most=8, threaded=threaded)
    found = results(queue, [1, 13, 2, 7, 3])
    queue.close()
    assert [found[k] for k in (0, 2, 4)] == [2, 4, 6]
    assert isinstance(found[1], ZeroDivisionError) and isinstance(found[3], ValueError)


def test_a_task_that_none_can_join_does_not_wait() -> None:
    read = Doubling()
    queue = BatchQueue(read, seconds=3600, most=8, threaded=False)

    async def ask() -> list[int]:
        # The tasks of one request are read together.
        return await asyncio.gather(*(queue.submit(task, LATER, alone=True) for task in (1, 2)))

    assert asyncio.run(ask()) == [2, 4] and read.batches == [[1, 2]]


def test_a_task_after_its_deadline_is_not_read() -> None:
    read = Doubling()
    (found,) = results(BatchQueue(read, seconds=0, most=8, threaded=False), [1], due=time.monotonic() - 1)
    assert isinstance(found, Problem) and (found.status, found.kind) == (503, "TimedOut")
    assert found.headers["Retry-After"] and not read.batches


def test_a_cancelled_task_is_not_read() -> None:
    read = Doubling()
    queue = BatchQueue(read, seconds=0.01, most=8, threaded=False)

    async def ask() -> int:
        queue.submit(1, LATER).cancel()
        return await queue.submit(2, LATER)

    assert asyncio.run(ask()) == 4 and read.batches == [[2]]


def test_capacity() -> None:
    capacity = Capacity(3)
    capacity.enter(2)
    with pytest.raises(Problem) as refused:
        capacity.enter(2)
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "1"})
    capacity.enter(1)
    capacity.leave(3)
    capacity.enter(10)  # A request that waits alone is always accepted.
    assert capacity.count == 10
