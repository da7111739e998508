"""What is said of the machine beside each result."""

import platform

import numpy as np

from edgedigits_runtime.machine import LIBRARIES, core_count, describe_machine, installed_version


def test_a_machine_is_described_by_what_changes_a_result() -> None:
    found = describe_machine()
    assert list(found) == ["processor", "cores", "system", "python", "libraries"]
    assert (found["cores"], found["python"]) == (core_count(), platform.python_version())
    libraries = found["libraries"]
    assert isinstance(libraries, dict)
    assert libraries["numpy"] == np.__version__
    assert set(libraries) <= set(LIBRARIES)


def test_the_version_of_what_is_installed_and_of_what_is_not() -> None:
    assert installed_version("numpy") == np.__version__
    assert installed_version("no-such-distribution") is None
