"""The cost of a first picture: every part is measured, and what makes it slow is named."""

import json

import pytest

from edgedigits.diagnosis import diagnose
from edgedigits.machine import first_picture
from edgedigits.machine.first_picture import PARTS, FirstPicture, measure_first_picture
from edgedigits_runtime.errors import EngineDied
from tests.conftest import RunCommand

COST = FirstPicture(dict.fromkeys(PARTS, 10.0), 200.0, 40.0, compiled=True)


def test_every_part_takes_time() -> None:
    found = measure_first_picture(1)
    assert list(found.parts) == list(PARTS) and min(found.parts.values()) >= 0
    assert found.numpy > 0 and found.parts["NumPy"] < found.cpu


def test_a_process_that_fails_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_picture, "PARTS", {"Python": "raise ValueError('broken')"})
    with pytest.raises(EngineDied, match="broken"):
        measure_first_picture(1)


def test_doctor_names_a_cause_and_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    for compiled in (True, False):
        monkeypatch.setattr(first_picture, "measure_first_picture", lambda _: COST._replace(compiled=compiled))  # noqa: B023
        (found,) = [finding for finding in diagnose() if finding.subject == "first picture"]
        assert found.fine == compiled and "NumPy 10" in found.state
        assert compiled or "compileall" in str(found.mend)


def test_the_cold_benchmark_is_text_for_an_issue(run_here: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_picture, "measure_first_picture", lambda _: COST)
    printed = run_here("bench", "--cold").stdout
    assert all(f"| {part} | 10 |" in printed for part in PARTS) and "2.00 times" in printed
    found = json.loads(run_here("bench", "--cold", "--json").stdout)
    assert found["cpu"] == 80 and found["parts"]["NumPy"] == 10
    assert "--model" in run_here("bench", "--cold", "--model", "nano", check=2).stderr
