"""One image, one thread, through each engine: the tensor in, the tensor out (`make bench`).

Each benchmark's rounds are run together, so compare the ratios of one quiet run, not figures of two.
"""

from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.preprocessing import Images


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
