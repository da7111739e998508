"""A virtual clock: when every thread waits, time jumps to the earliest wake-up.

The real threads of a live reading run on it unchanged, in an order that does not depend on the machine.
"""

import threading
from collections.abc import Callable

from edgedigits_runtime.clock import Clock


class VirtualClock(Clock):
    """Virtual seconds from 0; made in the thread that turns the handle, which counts as one that has to wait."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._now = 0.0
        self._threads = 1
        self._main = threading.get_ident()
        self._waiting: dict[int, tuple[Callable[[], bool], float]] = {}

    def now(self) -> float:
        return self._now

    def start(self, work: Callable[[], None]) -> None:
        with self._changed:
            self._threads += 1

        def run() -> None:
            try:
                work()
            finally:
                with self._changed:
                    self._threads -= 1
                    self._changed.notify_all()

        threading.Thread(target=run, daemon=True).start()

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        me = threading.get_ident()
        with self._changed:
            end = self._now + seconds
            self._waiting[me] = until, end
            try:
                while not (done := until()) and self._now < end:
                    if not self._jumped():
                        # A thread that hangs in its source is left behind when a test ends, as it would be by a user.
                        assert self._changed.wait(30 if me == self._main else None), "every thread waits for another"
                return done
            finally:
                del self._waiting[me]

    def _jumped(self) -> bool:
        """Go to the first end of a wait, if all threads wait and none has what it waits for."""
        if len(self._waiting) < self._threads or any(until() for until, _ in self._waiting.values()):
            return False
        first = min(end for _, end in self._waiting.values())
        if first <= self._now:
            return False
        self._now = first
        self._changed.notify_all()
        return True

    def notify(self) -> None:
        with self._changed:
            self._changed.notify_all()
