"""Messages of native libraries are silenced inside the block only."""

import os
import threading

import pytest

from edgedigits_runtime.native_messages import silenced


def test_messages_outside_the_block_are_printed(capfd: pytest.CaptureFixture[str]) -> None:
    os.write(2, b"before ")
    with silenced(), silenced():
        os.write(2, b"within ")
    os.write(2, b"after")
    assert capfd.readouterr().err == "before after"


def test_blocks_of_several_threads_may_overlap(capfd: pytest.CaptureFixture[str]) -> None:
    entered, left = threading.Event(), threading.Event()

    def first() -> None:
        with silenced():
            entered.wait(10)
        left.set()

    thread = threading.Thread(target=first)
    thread.start()
    with silenced():
        entered.set()
        assert left.wait(10)
        os.write(2, b"within ")
    thread.join()
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"
