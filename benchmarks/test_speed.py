"""The comparisons of speed.py under pytest-benchmark (`make bench`), each with its ratio."""

import re
from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks import speed

COMPARISONS = [
    speed.one_array,
    speed.many_arrays,
    speed.folder,
    speed.whole_process,
    speed.notebook_process,
    speed.notebook_image,
]


def _same_each_time(beside: str) -> str:
    """Without the numbers of what happened to be the fastest of many settings."""
    return re.sub(r"\d+", "n", beside)


@pytest.mark.parametrize("compare", COMPARISONS, ids=lambda compare: compare.__name__)
def test_comparison(
    compare: Callable[[], speed.Comparison], benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    found = benchmark.pedantic(compare, rounds=1)
    benchmark.extra_info.update(ratio=found.ratio, beside=_same_each_time(found.beside))
    with capsys.disabled():
        print(f"\n{found.what}: {found.ratio:.3f} times {found.beside}")
    assert found.ratio > 0


def test_a_long_run(benchmark: BenchmarkFixture) -> None:
    found = benchmark.pedantic(speed.long_run, rounds=1)
    benchmark.extra_info.update(found)
    assert found["images_per_second"] > 0
