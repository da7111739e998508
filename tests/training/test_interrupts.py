"""The first interrupt is raised at the next check, the second at once."""

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


def test_an_interrupt_is_raised_by_the_check_and_not_where_it_comes() -> None:
    is_reached = False
    with pytest.raises(KeyboardInterrupt), remembered_interrupts() as check:
        check()
        signal.raise_signal(signal.SIGINT)
        is_reached = True
        check()
    assert is_reached
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_interrupt_is_raised_at_once() -> None:
    is_reached = False
    with pytest.raises(KeyboardInterrupt), remembered_interrupts():
        signal.raise_signal(signal.SIGINT)
        is_reached = True
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the second interrupt was not raised")
    assert is_reached


def test_an_interrupt_after_the_last_check_is_raised_at_the_end_of_the_block() -> None:
    with pytest.raises(KeyboardInterrupt), remembered_interrupts():
        signal.raise_signal(signal.SIGINT)


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
