"""On a machine with an NVIDIA GPU: `pytest -m gpu`."""

import numpy as np
import pytest

from edgedigits.data.dataset import Dataset
from edgedigits.model_files import SHIPPED, open_model, shipped_names

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
