"""A whole process, from the shell to the answer (`make bench`): what a script that reads one picture waits for."""

import subprocess
import sys
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

EXAMPLE = Path(__file__).parent.parent / "examples" / "5-white-on-black-28x28.png"


@pytest.mark.benchmark(group="whole process", warmup=True)
@pytest.mark.parametrize(
    "arguments",
    [["-c", "import numpy"], ["-m", "edgedigits", "--help"], ["-m", "edgedigits", "predict", str(EXAMPLE)]],
    ids=["import numpy", "help", "predict"],
)
def test_process(benchmark: BenchmarkFixture, arguments: list[str]) -> None:
    command = [sys.executable, *arguments]
    done = benchmark.pedantic(
        subprocess.run, args=(command,), kwargs={"capture_output": True}, rounds=15, warmup_rounds=2
    )
    assert done.returncode == 0
