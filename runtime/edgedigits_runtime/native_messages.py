"""Silence native libraries that write to file descriptor 2 and have no setting against it."""

import contextlib
import os
import threading
from collections.abc import Iterator

_lock = threading.Lock()
# Number of active blocks in all threads, and a copy of file descriptor 2 from before the first.
_depth = 0
_kept: int | None = None


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Discard writes to file descriptor 2 inside the block. Blocks of several threads may overlap; the last one to end
    restores the descriptor.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _depth, _kept
    with _lock:
        _depth += 1
        if _depth > 1:
            return
        try:
            _kept = os.dup(2)
        except OSError:  # A service may run without a standard error.
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)


def _leave() -> None:
    global _depth, _kept
    with _lock:
        _depth -= 1
        if _depth == 0 and _kept is not None:
            os.dup2(_kept, 2)
            os.close(_kept)
            _kept = None
