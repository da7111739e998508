"""A photo of 12 megapixels, from its bytes to its digits (`make bench`); the stages stand in the benchmark's JSON."""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks import photo, speed
from edgedigits import load
from edgedigits_runtime.reading.decode import decode


@pytest.mark.benchmark(group="a photo of 12 megapixels", warmup=True)
def test_photo(benchmark: BenchmarkFixture) -> None:
    reader = load()
    picture, text = photo.draw_photo()
    reading = benchmark(reader.read, picture)
    assert reading.text == text
    benchmark.extra_info["stages"] = reading.ms
    milliseconds = speed.in_turn(
        {"ours": lambda: reader.read(picture), "decode": lambda: decode(picture, channels=1)}, rounds=5
    )
    ratio = milliseconds["ours"] / milliseconds["decode"]
    benchmark.extra_info.update(ratio=ratio, beside="decoding it alone")
