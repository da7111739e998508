"""Waiting for other threads, in real and in virtual time."""

import threading

import pytest

from edgedigits_runtime.clock import Clock
from tests.support.virtual_clock import VirtualClock


@pytest.mark.parametrize("kind", [Clock, VirtualClock])
def test_a_wait_ends_with_its_condition_or_its_time(kind: type[Clock]) -> None:
    clock, seen = kind(), []
    assert clock.wait(lambda: True, 0)
    began = clock.now()
    assert not clock.wait(lambda: False, 0.02)
    assert clock.now() >= began + 0.02

    def work() -> None:
        clock.sleep(0.02)
        seen.append(clock.now())
        clock.notify()

    clock.start(work)
    assert clock.wait(lambda: bool(seen), 30)
    assert seen[0] >= began + 0.04


def test_a_change_without_notification_is_noticed() -> None:
    """A signal handler changes a condition so."""
    clock, changed = Clock(), threading.Event()
    threading.Timer(0.01, changed.set).start()
    assert clock.wait(changed.is_set, 30)


def test_a_virtual_clock_runs_threads_in_order() -> None:
    clock, order = VirtualClock(), []
    for seconds in (3600, 1, 60):

        def work(seconds: int = seconds) -> None:
            clock.sleep(seconds)
            order.append((seconds, clock.now()))
            clock.notify()

        clock.start(work)
    assert clock.wait(lambda: len(order) == 3, 100_000)
    assert order == [(1, 1.0), (60, 60.0), (3600, 3600.0)]
