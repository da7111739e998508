"""Child processes that hold what is measured, so that one that dies takes nothing with it.

An engine that crashes ends its process, not the run; and one engine's threads and memory are not another's. A host is
told what to open by import path ("module:function"), so that only it imports the library.
"""

import importlib
import itertools
import multiprocessing
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits.benchmarking.measuring.clock import check_forward
from edgedigits.benchmarking.measuring.sampling import Call, garbage_left_alone
from edgedigits_runtime.errors import EdgedigitsError

PATIENCE = 300.0
"""Seconds without an answer after which a host is taken for hung; importing TensorFlow on a small board takes long."""

UNCOUNTED = 3
"""Calls before each block that are not counted: others ran in between, and the caches hold theirs."""


@dataclass(frozen=True)
class Opening:
    """How a host makes what is measured.

    Attributes:
        opener: "module:function"; the function takes `arguments` and returns (Call, facts).
        arguments: what can be pickled.
    """

    opener: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


class HostDied(Exception):
    """The process ended or hung; the message says how."""


class Refused(Exception):
    """The process is well, but what it was asked for raised an error; the message says which."""


class Host:
    """One child process; made when it is first asked, and made anew after it died."""

    def __init__(self, patience: float = PATIENCE) -> None:
        """Take the seconds after which a host that does not answer is ended."""
        self._patience = patience
        self._process: Any = None
        self._pipe: Connection | None = None

    def open(self, name: str, opening: Opening) -> dict[str, Any]:
        """Make what is measured, call it once, and return the facts that its opener found.

        Raises:
            HostDied, Refused: it could not be made.
        """
        facts: dict[str, Any] = self._ask("open", name, opening)
        return facts

    def block(self, name: str, calls: int) -> NDArray[np.int64]:
        """Return the nanoseconds of each of `calls` calls in a row, after UNCOUNTED others.

        Raises:
            HostDied, Refused: a call failed.
        """
        return np.frombuffer(self._ask("block", name, calls), np.int64)

    def close(self) -> None:
        """End the process."""
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.join(2)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
        self._process = self._pipe = None

    def __enter__(self) -> "Host":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _ask(self, *request: Any) -> Any:
        pipe = self._pipe or self._start()
        try:
            pipe.send(request)
            if not pipe.poll(self._patience):
                self._process.kill()
                self.close()
                raise HostDied(f"did not answer within {self._patience:.0f} s")
            fine, answer = pipe.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            code = self._process.exitcode
            self.close()
            raise HostDied(_ending(code)) from None
        if not fine:
            raise Refused(answer)
        return answer

    def _start(self) -> Connection:
        # Not forked: threads of libraries that this process has loaded would be missing in the child.
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        return self._pipe


def _ending(code: int) -> str:
    if code >= 0:
        return f"its process ended with exit code {code}"
    try:
        return f"its process was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"its process was ended by signal {-code}"


def serve(pipe: Connection) -> None:
    """Answer requests until the pipe is closed; runs in the child."""
    # Ctrl-C reaches all processes of a terminal; the parent ends this one in its own time.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    opened: dict[str, tuple[Call, Iterator[int]]] = {}
    while True:
        try:
            task, name, given = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            answer = _open(opened, name, given) if task == "open" else timed(*opened[name], given).tobytes()
        except EdgedigitsError as error:
            pipe.send((False, str(error)))
        except Exception as error:  # noqa: BLE001  # Any library's own: the row says which, the others go on.
            lines = str(error).strip().splitlines() or ["no message"]
            pipe.send((False, f"{type(error).__name__}: {lines[0]}"))
        else:
            pipe.send((True, answer))


def _open(opened: dict[str, tuple[Call, Iterator[int]]], name: str, opening: Opening) -> dict[str, Any]:
    module, _, function = opening.opener.partition(":")
    call, facts = getattr(importlib.import_module(module), function)(**opening.arguments)
    call(0)
    opened[name] = call, itertools.count()
    return dict(facts)


def timed(call: Call, numbers: Iterator[int], calls: int) -> NDArray[np.int64]:
    """Return the nanoseconds of calls in a row.

    Raises:
        ClockError: the clock stepped backwards.
    """
    taken = np.empty(calls, np.int64)
    clock = time.perf_counter_ns
    with garbage_left_alone():
        for _ in range(UNCOUNTED):
            call(next(numbers))
        for k in range(calls):
            number = next(numbers)
            start = clock()
            call(number)
            taken[k] = clock() - start
    check_forward(int(taken.min(initial=0)))
    return taken


def shared_hosts(groups: Sequence[Any]) -> dict[Any, Host]:
    """Return a host for each group."""
    return {group: Host() for group in dict.fromkeys(groups)}
