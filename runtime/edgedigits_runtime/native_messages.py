"""Silence what native libraries write to file descriptor 2 and no setting of theirs turns off."""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Discard what is written to file descriptor 2 inside the block; Python exceptions pass as ever."""
    try:
        kept = os.dup(2)
    except OSError:  # A service may run without a standard error.
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
