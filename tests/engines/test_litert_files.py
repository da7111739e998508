"""LiteRT on foreign kinds of files: int16, and an LSTM that keeps its state."""

from pathlib import Path

import numpy as np
import pytest

from edgedigits_runtime.contract import Contract, Tensor
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.engines import open_engine
from tests.support.edited_tflite import INT8, Builder, packed
from tests.support.lstm_tflite import CELLS, SCALE, STEPS, TAKEN, lstm_tflite

INT16 = 7
"""TensorType."""


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_an_lstm_answers_each_image_as_if_it_were_the_first(dtype: str, tmp_path: Path) -> None:
    path = tmp_path / "lstm.tflite"
    path.write_bytes(lstm_tflite(dtype))
    quantized = (SCALE, 0) if dtype == "int8" else (None, None)
    ends = (Tensor(name, (1, STEPS, size), dtype, *quantized) for name, size in (("t0", TAKEN), ("t1", CELLS)))
    contract = Contract("lstm", *ends, tuple(map(str, range(STEPS * CELLS))), layout="NHW")
    images = np.random.default_rng(0).integers(0, 256, (3, STEPS, TAKEN, 1), np.uint8)
    with open_engine(path, contract=contract, options=EngineOptions(workers=1)) as engine:
        given = engine.feed(images)
        together = engine.invoke(given)
        alone = np.concatenate([engine.invoke(given[[row]]) for row in (2, 0, 1)])
    assert np.array_equal(together, alone[[1, 2, 0]])
    assert len(np.unique(together, axis=0)) == 3


def test_an_int16_file_is_fed_by_its_scale(tmp_path: Path) -> None:
    scale = 1 / 32_767
    build = Builder([1, 2, 2, 1], INT16, scale, 0)
    build.add("RESHAPE", build.tensor([1, 4], INT16, scale, 0), build.constant([1, 4]))
    build.graph.inputs, build.graph.outputs = [0], [build.last]
    path = tmp_path / "int16.tflite"
    path.write_bytes(packed(build.model))
    ends = (Tensor(name, shape, "int16", scale, 0) for name, shape in (("t0", (1, 2, 2, 1)), ("t1", (1, 4))))
    image = np.array([0, 1, 128, 255], np.uint8).reshape(1, 2, 2, 1)
    with open_engine(path, contract=Contract("int16", *ends, tuple("0123"))) as engine:
        assert engine.feed(image).ravel().tolist() == [0, 128, 16_448, 32_767]
        assert engine.invoke(engine.feed(image)).tolist() == [[0, 128, 16_448, 32_767]]


@pytest.mark.parametrize("batch", [1, 2, 4])
@pytest.mark.parametrize("count", [1, 3, 4])
def test_a_fixed_batch_is_filled_up(batch: int, count: int, tmp_path: Path) -> None:
    build = Builder([batch, 2, 2, 1], INT8, 1 / 255, -128)
    build.add("RESHAPE", build.tensor([batch, 4], INT8, 1 / 255, -128), build.constant([batch, 4]))
    build.graph.inputs, build.graph.outputs = [0], [build.last]
    path = tmp_path / "batch.tflite"
    path.write_bytes(packed(build.model))
    shapes = (("t0", (batch, 2, 2, 1)), ("t1", (batch, 4)))
    contract = Contract("batch", *(Tensor(name, shape, "int8", 1 / 255, -128) for name, shape in shapes), tuple("0123"))
    images = np.arange(4 * count, dtype=np.uint8).reshape(count, 2, 2, 1)
    with open_engine(path, contract=contract) as engine:
        answers = engine.invoke(engine.feed(images))
    assert np.array_equal(answers, images.reshape(count, 4).astype(np.int16) - 128)
