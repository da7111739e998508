"""A photo of 12 megapixels, from its bytes to its digits (`make bench`); the stages stand in the benchmark's JSON."""

import photo
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from edgedigits import load


@pytest.mark.benchmark(group="a photo of 12 megapixels", warmup=True)
def test_photo(benchmark: BenchmarkFixture) -> None:
    reader = load()
    picture, text = photo.draw_photo()
    reading = benchmark(reader.read, picture)
    assert reading.text == text
    benchmark.extra_info["stages"] = reading.ms
