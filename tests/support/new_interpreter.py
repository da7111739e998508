"""Run a part of a test in an interpreter of its own: one that has computed nothing may fork."""

import os
import subprocess
import sys

from tests.conftest import REPOSITORY


def in_new_interpreter(code: str, *before: str) -> None:
    """Run `code`, whose assertions are the test, by the command `before` if one is given."""
    paths = os.pathsep.join(str(REPOSITORY / name) for name in ("", "runtime", "exporters"))
    done = subprocess.run(
        [*before, sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": paths, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
