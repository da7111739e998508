"""Both engines on hand-made files: correct answers for any number of images, threads and processes."""

import concurrent.futures
import multiprocessing
import pickle
from pathlib import Path

import numpy as np
import pytest

from edgedigits_runtime.contract import Tensor
from edgedigits_runtime.engine_options import EngineOptions, Kernels
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.errors import ArrayError, EngineClosed
from tests.support.tiny_models import (
    SHAPE,
    contract,
    expected,
    int8_contract,
    onnx_bytes,
    pictures,
    tflite_bytes,
    write_onnx,
    write_tflite,
)


def test_the_answers_are_those_of_the_arithmetic(tiny_model: Path) -> None:
    images = pictures(70)
    engine = open_engine(tiny_model)
    answers = engine.run(images)
    assert answers.shape == (70, 10)
    assert answers.dtype == np.float32
    quantized = engine.contract.input.dtype == "int8"
    # int8: logits in steps of 0.25 and probabilities in steps of 1/256.
    np.testing.assert_allclose(answers, expected(images), atol=0.07 if quantized else 1e-5)


def test_an_engine_has_its_name_device_and_providers(tiny_model: Path) -> None:
    engine = open_engine(tiny_model)
    assert engine.device == "cpu"
    if tiny_model.suffix == ".onnx":
        assert (engine.name, engine.providers) == ("onnxruntime", ("CPUExecutionProvider",))
    else:
        assert (engine.name, engine.providers) == ("litert", ("XNNPACK",))


def test_a_batch_gives_the_answers_of_its_images(tiny_model: Path) -> None:
    engine = open_engine(tiny_model)
    images = pictures(130)
    one_by_one = np.concatenate([engine.run(image[None]) for image in images])
    np.testing.assert_allclose(engine.run(images), one_by_one, atol=1e-6)


def test_eight_threads_get_the_sequential_answers(tiny_model: Path) -> None:
    engine = open_engine(tiny_model)
    batches = [pictures(3, seed) for seed in range(200)]
    sequential = [engine.run(batch) for batch in batches]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for found, wanted in zip(pool.map(engine.run, batches), sequential, strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_answers_are_not_overwritten_by_the_next_call(tiny_model: Path) -> None:
    engine = open_engine(tiny_model)
    first = engine.run(pictures(1, 1))
    kept = first.copy()
    engine.run(pictures(1, 2))
    np.testing.assert_array_equal(first, kept)


def test_feed_returns_the_input_tensor(tmp_path: Path) -> None:
    images = pictures(2)
    quantized = open_engine(write_tflite(tmp_path, "int8")).feed(images)
    assert quantized.dtype == np.int8
    np.testing.assert_array_equal(quantized.astype(int), images.astype(int) - 128)
    assert open_engine(write_onnx(tmp_path)).feed(images).dtype == np.float32


def test_an_onnx_file_may_have_integer_inputs(tmp_path: Path) -> None:
    # The contract holds the quantization, which the file lacks.
    taken = contract(input=Tensor("image", (None, *SHAPE), "uint8", 1 / 255, 0))
    (tmp_path / "pixels.onnx").write_bytes(onnx_bytes(taken, "uint8"))
    images = pictures(5)
    np.testing.assert_allclose(open_engine(tmp_path / "pixels.onnx").run(images), expected(images), atol=1e-5)


def test_wrong_arrays_are_refused(tiny_model: Path) -> None:
    engine = open_engine(tiny_model)
    for wrong in (pictures(1)[:, :27], pictures(1).astype(np.float32), pictures(0)):
        with pytest.raises(ArrayError, match=r"28, 28"):
            engine.run(wrong)  # type: ignore[arg-type]


def test_a_normalisation_of_the_contract_is_used(tmp_path: Path) -> None:
    path = tmp_path / "l2.onnx"
    path.write_bytes(onnx_bytes(contract(normalisation="column-l2")))
    fed = open_engine(path).feed(pictures(1))
    np.testing.assert_allclose(np.square(fed).sum(axis=1), 1, rtol=1e-5)


def test_a_given_contract_replaces_the_files_own(tmp_path: Path) -> None:
    for path in (write_onnx(tmp_path), write_tflite(tmp_path)):
        assert open_engine(path, contract=contract(name="mine")).contract.name == "mine"
    bare = tmp_path / "bare.tflite"
    bare.write_bytes(tflite_bytes(None, "int8"))
    given = int8_contract(name="mine")
    assert open_engine(bare, contract=given).run(pictures(1)).shape == (1, 10)


def test_many_images_are_divided_among_workers(tiny_model: Path) -> None:
    images = pictures(3 * Engine.part + 7)
    one = open_engine(tiny_model, options=EngineOptions(workers=1))
    three = open_engine(tiny_model, options=EngineOptions(workers=3))
    assert (one.workers, three.workers) == (1, 3)
    np.testing.assert_allclose(three.run(images), one.run(images), atol=1e-6)


@pytest.mark.slow
def test_sixteen_threads_and_a_hundred_thousand_images(tiny_model: Path) -> None:
    batches = [pictures(count, count) for count in (1, 3, 62, 1, 558)]
    engine = open_engine(tiny_model, options=EngineOptions(workers=4))
    sequential = [engine.run(batch) for batch in batches]
    rounds = range(100_000 // sum(map(len, batches)))

    def all_right(_: int) -> bool:
        pairs = zip(batches, sequential, strict=True)
        return all(np.array_equal(engine.run(batch), wanted) for batch, wanted in pairs)

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert all(pool.map(all_right, rounds))


def _answers(engine: Engine, images: np.ndarray) -> np.ndarray:
    return engine.run(images)


@pytest.mark.slow
def test_an_engine_can_be_sent_to_another_process(tiny_model: Path) -> None:
    engine, images = open_engine(tiny_model, options=EngineOptions(workers=2)), pictures(5)
    spawning = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawning) as pool:
        np.testing.assert_array_equal(pool.submit(_answers, engine, images).result(), engine.run(images))


def test_an_unpickled_engine_gives_the_same_answers(tiny_model: Path) -> None:
    engine = open_engine(tiny_model, options=EngineOptions(workers=2))
    again = pickle.loads(pickle.dumps(engine))
    assert (again.contract, again.providers, again.workers) == (engine.contract, engine.providers, 2)


def test_a_closed_engine_raises_an_error(tiny_model: Path) -> None:
    with open_engine(tiny_model, options=EngineOptions(workers=2)) as engine:
        engine.run(pictures(2 * Engine.part))
    engine.close()
    with pytest.raises(EngineClosed, match="tiny"):
        engine.run(pictures(1))


@pytest.mark.parametrize("kernels", ["xnnpack", "builtin", "reference"])
def test_the_kernels_in_effect_are_named(kernels: Kernels, tmp_path: Path) -> None:
    images = pictures(20)
    engine = open_engine(write_tflite(tmp_path, "int8"), options=EngineOptions(kernels=kernels))
    assert engine.providers == ({"xnnpack": "XNNPACK"}.get(kernels, kernels),)
    np.testing.assert_allclose(engine.run(images), expected(images), atol=0.07)
