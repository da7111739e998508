"""A short, seeded part of `python -m tests.torture.endurance`."""

import pytest

from tests.torture.endurance import open_and_close, read_long, together

pytestmark = pytest.mark.slow

# A leak of one small picture for each read would be more.
MEGABYTES = 12


def test_long_reading_keeps_memory_descriptors_and_answers() -> None:
    found = read_long(6_400, 3)
    assert found["reads"] == 6_400 and found["errors"] > 0
    assert found["same_answers"]
    assert found["megabytes_grown"] < MEGABYTES
    assert found["descriptors_grown"] == 0


def test_opening_and_closing_models_leaks_nothing() -> None:
    found = open_and_close(160, 3)
    assert found["megabytes_grown"] < MEGABYTES
    assert found["descriptors_grown"] == 0
    assert found["at_the_end"]["threads"] == found["after_a_tenth"]["threads"]


def test_threads_and_processes_agree_with_one_thread() -> None:
    found = together(12, 3)
    for suffix in (".tflite", ".onnx"):
        assert found[suffix] == {"threads_alike": True, "processes_alike": True}
