"""Openers for tests of measuring processes: they sleep, fail or end their process."""

import os
import time
from typing import Any


def sleeping(milliseconds: float = 0.0) -> tuple[Any, dict[str, Any]]:
    """Take that long for each call."""

    def call(number: int) -> int:
        end = time.perf_counter_ns() + milliseconds * 1e6
        while time.perf_counter_ns() < end:
            pass
        return number

    return call, {"process": os.getpid()}


def failing(calls: int) -> tuple[Any, dict[str, Any]]:
    """Raise an error after so many calls."""
    left = [calls]

    def call(number: int) -> int:
        left[0] -= 1
        if left[0] < 0:
            raise RuntimeError("out of luck\nand of lines")
        return number

    return call, {}


def dying(calls: int, signal: int = 9) -> tuple[Any, dict[str, Any]]:
    """End the process by a signal after so many calls."""
    left = [calls]

    def call(number: int) -> int:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal)
        return number

    return call, {}


def exiting() -> tuple[Any, dict[str, Any]]:
    """End the process while it is opened."""
    os._exit(3)


def hanging() -> tuple[Any, dict[str, Any]]:
    """Never answer."""
    time.sleep(3600)
    return None, {}
