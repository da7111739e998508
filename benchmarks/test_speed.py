"""Single images, a large photo, and the comparisons of speed.py under pytest-benchmark, with ratios: `make bench`.

The rounds of a benchmark run together, so compare ratios of one quiet run, not figures of two runs.
"""

import re
from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks import speed
from edgedigits.loading import load
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.preprocessing import Images
from edgedigits_runtime.reading.decode import decode

COMPARISONS = [
    speed.one_array,
    speed.many_arrays,
    speed.folder,
    speed.whole_process,
    speed.notebook_process,
    speed.notebook_image,
]


def _same_each_time(beside: str) -> str:
    """Replace the numbers of the fastest setting, which varies."""
    return re.sub(r"\d+", "n", beside)


@pytest.mark.parametrize("compare", COMPARISONS, ids=lambda compare: compare.__name__)
def test_comparison(
    compare: Callable[[], speed.Comparison], benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    found: speed.Comparison = benchmark.pedantic(compare, rounds=1)  # type: ignore[no-untyped-call]  # not annotated
    benchmark.extra_info.update(ratio=found.ratio, beside=_same_each_time(found.beside))
    with capsys.disabled():
        print(f"\n{found.what}: {found.ratio:.3f} times {found.beside}")
    assert found.ratio > 0


def test_a_long_run(benchmark: BenchmarkFixture) -> None:
    found: dict[str, float] = benchmark.pedantic(speed.long_run, rounds=1)  # type: ignore[no-untyped-call]  # not annotated
    benchmark.extra_info.update(found)
    assert found["images_per_second"] > 0


@pytest.mark.benchmark(group="one image, engine alone")
@pytest.mark.parametrize("name", ["litert int8", "litert float32", "onnxruntime float32", "keras model(x)"])
def test_invoke(
    benchmark: BenchmarkFixture,
    beside_fixed_work: Callable[[Callable[[], object]], None],
    engines: dict[str, Engine],
    image: Images,
    name: str,
) -> None:
    engine = engines[name]
    tensor = engine.feed(image)
    answer = benchmark(engine.invoke, tensor)
    assert answer.shape == (1, 10)
    beside_fixed_work(lambda: engine.invoke(tensor))


@pytest.mark.benchmark(group="a photo of 12 megapixels", warmup=True)
def test_photo(benchmark: BenchmarkFixture) -> None:
    reader = load()
    picture, text = speed.draw_photo()
    reading = benchmark(reader.read, picture)
    assert reading.text == text
    benchmark.extra_info["stages"] = reading.ms
    milliseconds = speed.in_turn(
        {"ours": lambda: reader.read(picture), "decode": lambda: decode(picture, channels=1)}, rounds=5
    )
    ratio = milliseconds["ours"] / milliseconds["decode"]
    benchmark.extra_info.update(ratio=ratio, beside="decoding it alone")
