"""The benchmarks run, once and untimed."""

import subprocess
import sys

import pytest

from edgedigits.data.dataset import Dataset
from tests.conftest import REPOSITORY

BENCHMARKS = REPOSITORY / "benchmarks"


@pytest.mark.slow
def test_the_benchmarks_run(mnist: Dataset) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "--benchmark-disable", "-p", "no:cacheprovider", "test_speed.py"]
    # The quick ones: others run a command over 10,000 pictures or for a minute.
    done = subprocess.run(
        [*command, "-k", "invoke or photo or one_array or many_arrays"],
        cwd=BENCHMARKS, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    assert " passed" in done.stdout
