"""The short description of the machine beside each result."""

import platform

import numpy as np

from edgedigits.machine.fingerprint import SHORT_LIBRARIES, describe_machine
from edgedigits_runtime.machine import core_count, installed_version


def test_the_description_names_processor_system_and_libraries() -> None:
    found = describe_machine()
    assert list(found) == ["processor", "cores", "system", "python", "libraries"]
    assert (found["cores"], found["python"]) == (core_count(), platform.python_version())
    libraries = found["libraries"]
    assert isinstance(libraries, dict)
    assert libraries["numpy"] == np.__version__
    assert set(libraries) <= set(SHORT_LIBRARIES)


def test_installed_version() -> None:
    assert installed_version("numpy") == np.__version__
    assert installed_version("no-such-distribution") is None
