"""On a machine with an NVIDIA GPU: `pytest -m gpu`."""

from pathlib import Path

import numpy as np
import pytest

from edgedigits.data.dataset import Dataset
from edgedigits.model_files import SHIPPED, open_model, shipped_names
from edgedigits_runtime.engines.finder_network import open_finder_network
from tests.support.tiny_finder import write_finder

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("name", shipped_names())
def test_cuda_decides_as_the_cpu(name: str, mnist: Dataset) -> None:
    assert mnist.test is not None
    path = SHIPPED / f"{name}.onnx"
    with open_model(path, device="cuda") as cuda, open_model(path, device="cpu") as cpu:
        assert cuda.device == "cuda:0"
        assert cuda.providers[0] == "CUDAExecutionProvider"
        there, here = cuda.run(mnist.test.images), cpu.run(mnist.test.images)
    # Half precision, as max has it, moves a probability near a tie.
    assert np.count_nonzero(there.argmax(axis=1) != here.argmax(axis=1)) <= 1
    np.testing.assert_allclose(there, here, atol=2e-2 if name == "max" else 1e-4)


def test_a_finder_answers_on_cuda_as_on_the_cpu(tmp_path: Path) -> None:
    path = write_finder(tmp_path / "finder.onnx")
    cuda, cpu = (open_finder_network(path, device) for device in ("cuda", "cpu"))
    assert (cuda.device, cuda.providers[0]) == ("cuda:0", "CUDAExecutionProvider")
    for shape in ((320, 320, 3), (96, 224, 3)):
        picture = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        for there, here in zip(cuda.outputs(picture), cpu.outputs(picture), strict=True):
            np.testing.assert_allclose(there, here, atol=1e-2)
