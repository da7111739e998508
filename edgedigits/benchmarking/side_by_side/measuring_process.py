"""A child process that times calls, so that a crashing engine does not end the run.

The child opens a candidate by the import path of its opener, so that only the child imports the library.
"""

import importlib
import itertools
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits.benchmarking.measuring.sampling import Call, check_forward, garbage_collection_off
from edgedigits_runtime.child_process import Child
from edgedigits_runtime.errors import EngineDied

TIMEOUT = 300.0  # Seconds without an answer; importing TensorFlow on a small board takes long.
UNCOUNTED = 3  # Calls before each block that refill the caches.

_opened: dict[str, tuple[Call, Iterator[int]]] = {}
"""The candidates that are open in this child, each with the numbers of its next calls."""


class MeasuringProcess:
    """One child, started at the first request, and again after it died."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._timeout = timeout
        self._child = Child("its process", EngineDied)

    @property
    def alive(self) -> bool:
        return self._child.process is not None

    def open(self, name: str, opener: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Open a candidate, call it once, and return its facts. Raises EdgedigitsError.

        Args:
            opener: "module:function"; it returns (Call, facts).
            arguments: of the opener: JSON values and arrays.
        """
        facts: dict[str, Any] = self._call("open_here", name, opener, dict(arguments))
        return facts

    def block(self, name: str, calls: int) -> NDArray[np.int64]:
        """Return the nanoseconds of successive calls, after UNCOUNTED others. Raises EdgedigitsError."""
        block: NDArray[np.int64] = self._call("block_here", name, calls)
        return block

    def close(self) -> None:
        """End the process."""
        self._child.end()

    def _call(self, function: str, *arguments: Any) -> Any:
        return self._child.call(f"{__name__}:{function}", *arguments, seconds=self._timeout)


def open_here(name: str, opener: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Open a candidate in this process."""
    module, _, function = opener.partition(":")
    call, facts = getattr(importlib.import_module(module), function)(**arguments)
    call(0)
    _opened[name] = call, itertools.count()
    return dict(facts)


def block_here(name: str, calls: int) -> NDArray[np.int64]:
    """Time one block of calls in this process. Raises ClockError if the clock stepped backwards."""
    call, numbers = _opened[name]
    taken = np.empty(calls, np.int64)
    clock = time.perf_counter_ns
    with garbage_collection_off():
        for _ in range(UNCOUNTED):
            call(next(numbers))
        for k in range(calls):
            number = next(numbers)
            start = clock()
            call(number)
            taken[k] = clock() - start
    check_forward(int(taken.min(initial=0)))
    return taken
