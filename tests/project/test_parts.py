"""`python -m tests` runs all parts and counts every outcome."""

import sys
from pathlib import Path

import pytest

from tests import __main__ as parts

TESTS = """
import pytest, shutil

def test_passes():
    assert shutil.which("git") and shutil.which("make") and shutil.which("sh")

def test_fails():
    assert shutil.which("gcc")

@pytest.mark.skip(reason="needs gcc")
def test_skipped(): ...

@pytest.mark.xfail
def test_expected_failure():
    assert False

def test_error(missing_fixture): ...
"""


def test_every_part_runs_and_every_outcome_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "test_some.py").write_text(TESTS)
    command = [sys.executable, "-c", "import sys; sys.exit(3)"]
    monkeypatch.setattr(parts, "PYTEST", [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"])
    monkeypatch.setattr(
        parts, "PARTS", {"lint": command, "unit": [*parts.PYTEST, "."], "types": [sys.executable, "-V"]}
    )
    programs = tmp_path / "bin"
    parts.link_programs(programs)
    summary = parts.run(list(parts.PARTS), tmp_path, {"PATH": str(programs)})
    assert summary.counts == {"passed": 3, "failed": 3, "skipped": 1}
    assert {line.split("::")[-1] for line in summary.failures} == {"lint (exit code 3)", "test_fails", "test_error"}
    assert list(summary.reasons) == ["needs gcc"]
    assert summary.lines()[-1] == "total: 3 passed, 3 failed, 1 skipped"


def test_a_part_that_collects_nothing_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PYTEST", [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"])
    monkeypatch.setattr(parts, "PARTS", {"unit": [*parts.PYTEST, "."]})
    assert parts.run(["unit"], tmp_path, {"PATH": ""}).counts["failed"] == 1


def test_a_part_that_ends_badly_without_a_failed_test_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also after a part with failed tests."""
    (tmp_path / "test_fails.py").write_text("def test_fails():\n    assert False\n")
    (tmp_path / "test_passes.py").write_text("def test_passes(): ...\n")
    (tmp_path / "conftest.py").write_text(
        "def pytest_sessionfinish(session):\n    session.exitstatus = session.testsfailed or 3\n"
    )
    monkeypatch.setattr(parts, "PYTEST", [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"])
    commands = {name: [*parts.PYTEST, f"test_{name}.py"] for name in ("fails", "passes")}
    monkeypatch.setattr(parts, "PARTS", commands)
    summary = parts.run(list(commands), tmp_path, {"PATH": ""})
    assert summary.failures == ["test_fails::test_fails", "passes (exit code 3)"]
    assert summary.counts == {"passed": 1, "failed": 2}
