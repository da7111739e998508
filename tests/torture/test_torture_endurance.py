"""A short, seeded part of `python -m tests.torture.endurance`: nothing grows, and many at once read as one does."""

import pytest

from tests.torture.endurance import open_and_close, read_for_long, together

pytestmark = pytest.mark.slow

# What a few thousand reads may take for good; a leak of one small picture a read would be more.
MEGABYTES = 12


def test_reading_for_long_takes_no_more_memory_and_leaves_no_file_open() -> None:
    found = read_for_long(6_400, 3)
    assert found["reads"] == 6_400 and found["errors"] > 0
    assert found["same_answers"]
    assert found["megabytes_grown"] < MEGABYTES
    assert found["descriptors_grown"] == 0


def test_models_are_opened_and_closed_without_a_leak() -> None:
    found = open_and_close(160, 3)
    assert found["megabytes_grown"] < MEGABYTES
    assert found["descriptors_grown"] == 0
    assert found["at_the_end"]["threads"] == found["after_a_tenth"]["threads"]


def test_threads_and_processes_read_as_one_thread_does() -> None:
    found = together(12, 3)
    for suffix in (".tflite", ".onnx"):
        assert found[suffix] == {"threads_alike": True, "processes_alike": True}
