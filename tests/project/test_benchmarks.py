"""The benchmarks run: each once and untimed. What they measure is no test's business."""

import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

BENCHMARKS = REPOSITORY / "benchmarks"


@pytest.mark.slow
@pytest.mark.parametrize("suite", ["test_one_image.py", "test_reading.py", "test_speed.py"])
def test_it_runs(suite: str) -> None:
    # Of the comparisons of speed the quick ones; the others run a command over 10,000 pictures or for a minute.
    quick = ["-k", "one_array or many_arrays"] if suite == "test_speed.py" else []
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--benchmark-disable", "-p", "no:cacheprovider", suite, *quick],
        cwd=BENCHMARKS, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    assert " passed" in done.stdout
