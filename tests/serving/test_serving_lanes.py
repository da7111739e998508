"""Lanes: together, in order, within their places, and each with its own answer."""

import asyncio
import threading
import time
from collections.abc import Iterable, Sequence

import pytest

from edgedigits.serving.lanes import Lane, Waiting
from edgedigits.serving.problems import Problem

LATER = time.monotonic() + 3600


class Doubling:
    """Doubles numbers; remembers what it was given together, and by which threads it was asked."""

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


def answers(lane: Lane[int, int], tasks: Sequence[int], due: float = LATER) -> list[int | BaseException]:
    async def ask() -> list[int | BaseException]:
        return await asyncio.gather(*(lane.submit(task, due) for task in tasks), return_exceptions=True)

    return asyncio.run(ask())


@pytest.mark.parametrize("threaded", [False, True])
def test_what_arrives_together_is_read_together_up_to_the_most(threaded: bool) -> None:
    read = Doubling()
    lane = Lane(read, seconds=0.01, most=4, threaded=threaded)
    assert answers(lane, range(20, 30)) == list(range(40, 60, 2))
    lane.close()
    assert read.batches == [[20, 21, 22, 23], [24, 25, 26, 27], [28, 29]]
    assert [name.startswith("reading") for name in read.threads] == [threaded]


@pytest.mark.parametrize("threaded", [False, True])
def test_one_that_fails_harms_no_other(threaded: bool) -> None:
    lane = Lane(Doubling(), seconds=0, most=8, threaded=threaded)
    found = answers(lane, [1, 13, 2, 7, 3])
    lane.close()
    assert [found[k] for k in (0, 2, 4)] == [2, 4, 6]
    assert isinstance(found[1], ZeroDivisionError) and isinstance(found[3], ValueError)


def test_what_is_overdue_is_not_read() -> None:
    read = Doubling()
    (found,) = answers(Lane(read, seconds=0, most=8, threaded=False), [1], due=time.monotonic() - 1)
    assert isinstance(found, Problem) and (found.status, found.kind) == (503, "TimedOut")
    assert found.headers["Retry-After"] and not read.batches


def test_what_nobody_waits_for_any_more_is_not_read() -> None:
    read = Doubling()
    lane = Lane(read, seconds=0.01, most=8, threaded=False)

    async def ask() -> int:
        lane.submit(1, LATER).cancel()
        return await lane.submit(2, LATER)

    assert asyncio.run(ask()) == 4 and read.batches == [[2]]


def test_places() -> None:
    waiting = Waiting(3)
    waiting.enter(2)
    with pytest.raises(Problem) as refused:
        waiting.enter(2)
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "1"})
    waiting.enter(1)
    waiting.leave(3)
    waiting.enter(10)  # A request that is alone is never refused.
    assert waiting.count == 10
