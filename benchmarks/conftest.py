"""The engines that the benchmarks time, all with the base model and the same real image."""

from collections.abc import Callable

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.publishing import REPOSITORY
from edgedigits import export
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
