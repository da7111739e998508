"""Monotonic time and waiting threads of a live reading."""

import threading
import time
from collections.abc import Callable

GLANCE = 0.1
"""Seconds between checks of a condition: a signal handler may change it without notifying."""


class Clock:
    """Monotonic time, threads and waits; tests replace it with a clock that they advance."""

    def __init__(self) -> None:
        self._changed = threading.Condition()

    def now(self) -> float:
        """Return seconds on the monotonic clock."""
        return time.monotonic()

    def start(self, work: Callable[[], None]) -> None:
        """Run `work` in a daemon thread."""
        threading.Thread(target=work, daemon=True).start()

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        """Wait until `until` returns true, at most `seconds`; return whether it did."""
        end = self.now() + seconds
        with self._changed:
            while not until():
                left = end - self.now()
                if left <= 0:
                    return False
                self._changed.wait(min(left, GLANCE))
            return True

    def sleep(self, seconds: float) -> None:
        self.wait(lambda: False, seconds)

    def notify(self) -> None:
        """Let every waiting thread check its condition again."""
        with self._changed:
            self._changed.notify_all()
