"""Silence what native libraries write to file descriptor 2 and no setting of theirs turns off."""

import contextlib
import os
import threading
from collections.abc import Iterator

_lock = threading.Lock()
# How many blocks are being run, by whatever threads, and what file descriptor 2 led to before the first of them.
_depth = 0
_kept: int | None = None


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Discard what is written to file descriptor 2 inside the block; Python exceptions pass as ever.

    Blocks of several threads may overlap: the last one to end turns the messages on again.
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
