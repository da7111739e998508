"""Tests are skipped with the names of the missing programs and files."""

from pathlib import Path

import pytest

from tests.support.needs import missing, needs, skip_without


def test_missing_programs_and_files_are_named(tmp_path: Path) -> None:
    absent = tmp_path / "package.tgz"
    assert missing("python3", "no-such-program", tmp_path, absent) == f"needs no-such-program, {absent}"
    assert missing("python3", tmp_path) == ""


def test_a_mark_skips_only_when_something_is_missing() -> None:
    assert needs("no-such-program").args == (True,)
    assert needs("python3").args == (False,)


def test_a_fixture_skips_while_it_runs() -> None:
    skip_without("python3")
    with pytest.raises(pytest.skip.Exception, match="no-such-program"):
        skip_without("no-such-program")
