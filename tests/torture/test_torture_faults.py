"""A short, seeded part of `python -m tests.torture.faults`."""

import pytest

from tests.support.needs import needs
from tests.support.new_interpreter import in_new_interpreter
from tests.torture import faults
from tests.torture.commands import surroundings
from tests.torture.mirrors import BEHAVIOURS, attack_downloads

pytestmark = pytest.mark.slow

DISKS = """
from tests.torture import commands, faults
with commands.surroundings():
    full = faults.on_small_disks(("export-shipped", "export-c", "download"), (16, 176))
    locked = faults.on_read_only_disks(("export-shipped", "export-c", "download"))
assert full["full"] >= 3 and full["completed"] == full["runs"], full
assert not full["broken"] and not locked["broken"], (full, locked)
"""

CLOSED = """
from tests.torture import commands, faults
with commands.surroundings():
    found = faults.without_permission(("export-shipped", "export-c", "export-web", "download"))
assert found == {"runs": 8, "broken": []}, found
"""


def test_full_and_read_only_disks() -> None:
    if not faults.can_mount():
        pytest.skip("this machine forbids mount namespaces (unshare, of the package util-linux)")
    in_new_interpreter(DISKS, "unshare", "-rm")


def test_folders_without_permission() -> None:
    in_new_interpreter(CLOSED)


@needs("gcc")
def test_wrong_clocks() -> None:
    with surroundings():
        assert faults.with_wrong_clocks(("export-shipped", "download")) == {"runs": 4, "broken": []}


def test_faulty_mirrors() -> None:
    found = attack_downloads(60, 7)
    assert found["broken"] == []
    assert found["completed"] + found["refused"] == 60
    assert set(found["behaviours"]) == set(BEHAVIOURS)
