"""Skip a test where a program or a file that pip does not install is missing, and name it.

EDGEDIGITS_NO_SKIP turns these skips into failures; see tests/conftest.py.
"""

import shutil
from pathlib import Path

import pytest


def missing(*needed: str | Path) -> str:
    """Name the programs (text) that are not on PATH and the files (Path) that do not exist; empty if none."""
    absent = [str(one) for one in needed if not (one.exists() if isinstance(one, Path) else shutil.which(one))]
    return f"needs {', '.join(absent)}" if absent else ""


def needs(*needed: str | Path) -> pytest.MarkDecorator:
    """Mark a test, class or module (`pytestmark`) that needs these programs and files."""
    reason = missing(*needed)
    return pytest.mark.skipif(bool(reason), reason=reason)


def skip_without(*needed: str | Path) -> None:
    """Skip the running test or the tests of a fixture; for what is only known while it runs."""
    if reason := missing(*needed):
        pytest.skip(reason)
