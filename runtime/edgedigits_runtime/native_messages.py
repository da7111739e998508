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
    """Discard writes to file descriptor 2 inside the block; the last of several threads' blocks restores it."""
    global _depth, _kept
    with _lock:
        _depth += 1
        if _depth == 1:
            # A service may run without a standard error.
            with contextlib.suppress(OSError):
                _kept = os.dup(2)
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, 2)
                os.close(nowhere)
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0 and _kept is not None:
                os.dup2(_kept, 2)
                os.close(_kept)
                _kept = None
