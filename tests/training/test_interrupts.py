"""An interrupt that a library swallows is raised at the next check."""

import contextlib
import signal
import threading
from collections.abc import Iterator

import pytest

from edgedigits.training.interrupts import remembered_interrupts


@pytest.fixture(autouse=True)
def default_sigint() -> Iterator[None]:
    """Raise KeyboardInterrupt on SIGINT, which a shell's background jobs ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_swallowed_interrupt_is_raised_by_the_check() -> None:
    with remembered_interrupts() as check:
        check()
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            check()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_handlers_and_threads_are_left_alone() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with remembered_interrupts():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def train() -> None:
        with remembered_interrupts() as check:
            check()

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
