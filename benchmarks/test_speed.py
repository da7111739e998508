"""Single images, a large photo, and the comparisons of speed.py under pytest-benchmark, with ratios: `make bench`.

The rounds of a benchmark run together, so compare ratios of one quiet run, not figures of two runs.
"""

import re
from collections.abc import Callable

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks import speed
from benchmarks.publishing import REPOSITORY
from edgedigits import export
from edgedigits.loading import load
from edgedigits.model_files import SHIPPED, open_model
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.preprocessing import Images
from edgedigits_runtime.reading.decode import decode
from edgedigits_runtime.reading.frame import frame_digit
from edgedigits_runtime.reading.ink import find_ink
from edgedigits_runtime.reading.locate import locate
from edgedigits_runtime.timing import interleaved

EXAMPLE = REPOSITORY / "examples" / "3-blue-pen.jpg"


@pytest.fixture(scope="session")
def image() -> Images:
    """One framed digit, uint8 [1, 28, 28, 1]."""
    ink = find_ink(decode(EXAMPLE, channels=1))
    digit = max(locate(ink).candidates, key=lambda candidate: candidate.box.width)
    return frame_digit(digit.ink)[None, :, :, None]


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Engine]:
    """LiteRT int8, LiteRT float32, ONNX Runtime and Keras."""
    float32 = tmp_path_factory.mktemp("benchmarks") / "base.tflite"
    export("base", precision="float32", out=float32, verify=False)
    files = {
        "litert int8": SHIPPED / "base.tflite",
        "litert float32": float32,
        "onnxruntime float32": SHIPPED / "base.onnx",
        "keras model(x)": SHIPPED / "base.keras",
    }
    return {name: open_model(file) for name, file in files.items()}


FIXED_WORK = "products of fixed matrices in NumPy"


@pytest.fixture
def beside_fixed_work(benchmark: BenchmarkFixture) -> Callable[[Callable[[], object]], None]:
    """Record a call's time relative to fixed work that is measured in turns with it; see baseline.py."""
    matrix = np.random.default_rng(0).random((48, 48), np.float32)

    def work() -> object:
        found = matrix
        for _ in range(5):
            found = np.tanh(found @ matrix)
        return found

    def measure(call: Callable[[], object]) -> None:
        milliseconds = interleaved({"call": call, "work": work}, rounds=9)
        benchmark.extra_info.update(ratio=milliseconds["call"] / milliseconds["work"], beside=FIXED_WORK)

    return measure


def _same_each_time(beside: str) -> str:
    """Replace the numbers of the fastest setting, which varies."""
    return re.sub(r"\d+", "n", beside)


@pytest.mark.parametrize("compare", speed.COMPARISONS, ids=lambda compare: compare.__name__)
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
    ratio = milliseconds["ours"].wall / milliseconds["decode"].wall
    benchmark.extra_info.update(ratio=ratio, beside="decoding it alone")
