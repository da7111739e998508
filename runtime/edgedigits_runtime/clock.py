"""Time as a live reading sees it: what o'clock it is, threads, and waiting for one another."""

import threading
import time
from collections.abc import Callable

GLANCE = 0.1
"""Seconds after which a wait looks again: a signal's handler may change what is waited for, but tell nobody."""


class Clock:
    """Monotonic time, and the waiting of threads for what others do; tests put one in its place that they turn."""

    def __init__(self) -> None:
        self._changed = threading.Condition()

    def now(self) -> float:
        """Return seconds on the monotonic clock."""
        return time.monotonic()

    def start(self, work: Callable[[], None]) -> None:
        """Run `work` in a thread that does not keep the process alive."""
        threading.Thread(target=work, daemon=True).start()

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        """Wait until `until` holds, at most so long; return whether it does."""
        end = self.now() + seconds
        with self._changed:
            while not until():
                left = end - self.now()
                if left <= 0:
                    return False
                self._changed.wait(min(left, GLANCE))
            return True

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self.wait(lambda: False, seconds)

    def notify(self) -> None:
        """Have every waiting thread look again at what it waits for."""
        with self._changed:
            self._changed.notify_all()
