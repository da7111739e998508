"""An engine in a child process: the same answers, and errors where it crashes, hangs or exceeds its memory."""

import dataclasses
import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgedigits.model_files import SHIPPED, open_model
from edgedigits_runtime.engine_options import EngineOptions, Isolation
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.engines.isolated import CHUNK, open_isolated
from edgedigits_runtime.errors import (
    ArtifactCorrupt,
    ContractInvalid,
    DeviceUnavailable,
    EngineClosed,
    EngineCrashed,
    UnknownName,
)
from tests.conftest import REPOSITORY, RunCommand
from tests.support.tiny_models import expected, int8_contract, pictures, write_onnx, write_tflite

ISOLATED = EngineOptions(isolation=Isolation())


def misbehaving(name: str = "fine", **limits: Any) -> Engine:
    options = EngineOptions(isolation=Isolation(**{"memory_bytes": 1 << 28, "seconds": 20, **limits}))
    return open_isolated("tests.support.misbehaving_engine:open_misbehaving", Path(name), None, "auto", options)


def picture(pixel: int, count: int = 1) -> NDArray[np.uint8]:
    return np.full((count, 28, 28, 1), pixel, np.uint8)


@pytest.mark.parametrize("write", [write_onnx, write_tflite])
def test_answers_equal_those_of_this_process(write: Any, tmp_path: Path) -> None:
    path, images = write(tmp_path), pictures(2 * CHUNK + 3)
    with open_engine(path, options=ISOLATED) as engine, open_engine(path) as here:
        np.testing.assert_array_equal(engine.run(images), here.run(images))
        np.testing.assert_allclose(engine.run(images[:1]), expected(images[:1]), atol=1e-5)
        assert (engine.name, engine.device, engine.providers) == (here.name, "cpu", (*here.providers, "isolated"))
        assert engine.contract == here.contract


def test_integers_and_a_given_contract(tmp_path: Path) -> None:
    path = write_tflite(tmp_path, "int8")
    given = int8_contract(name="given")
    with open_engine(path, options=ISOLATED, contract=given) as engine:
        assert engine.contract == given
        assert engine.invoke(engine.feed(pictures(2))).dtype == np.int8


def test_errors_keep_their_class(tmp_path: Path) -> None:
    (tmp_path / "x.tflite").write_bytes(b"no model")
    with pytest.raises(ArtifactCorrupt, match=r"x\.tflite"):
        open_engine(tmp_path / "x.tflite", options=ISOLATED)
    with pytest.raises(DeviceUnavailable, match="LiteRT"):
        open_engine(write_tflite(tmp_path), options=ISOLATED, device="cuda")
    with pytest.raises(ContractInvalid):
        open_engine(write_tflite(tmp_path), options=ISOLATED, contract=int8_contract())
    with pytest.raises(UnknownName, match=r"'x'.*y"):
        misbehaving("unknown")


def test_a_crash_while_opening() -> None:
    with pytest.raises(EngineCrashed, match=r"crash .*SIGABRT"):
        misbehaving("crash")


@pytest.mark.parametrize(("pixel", "fact"), [(1, "SIGSEGV"), (4, "exit code 7"), (6, "fine")])
def test_the_call_after_a_crash_answers(pixel: int, fact: str) -> None:
    with misbehaving() as engine:
        for _ in range(2):
            with pytest.raises(EngineCrashed, match=fact):
                engine.run(picture(pixel))
            assert engine.run(picture(9))[0, 0] == np.float32(9 / 255)


def test_the_call_after_too_much_memory_answers() -> None:
    with misbehaving() as engine:
        with pytest.raises(EngineCrashed, match="memory"):
            engine.run(picture(3))
        assert engine.run(picture(9))[0, 0] == np.float32(9 / 255)


@pytest.mark.parametrize("pixel", [2, 8])
def test_a_call_that_takes_too_long_is_ended(pixel: int) -> None:
    with misbehaving(seconds=0.5) as engine, pytest.raises(EngineCrashed, match=r"0\.5 seconds"):
        engine.run(picture(pixel))


def test_errors_and_noise_of_the_engine() -> None:
    with misbehaving() as engine:
        with pytest.raises(ArtifactCorrupt, match="engine"):
            engine.run(picture(5))
        assert engine.run(picture(7, CHUNK + 1)).shape == (CHUNK + 1, 10)


def test_closing_leaves_no_process_and_a_pickle_opens_again(tmp_path: Path) -> None:
    engine = open_engine(write_tflite(tmp_path), options=ISOLATED)
    process = engine._child.process  # type: ignore[attr-defined]
    again = pickle.loads(pickle.dumps(engine))
    engine.close()
    assert process.poll() is not None
    with pytest.raises(EngineClosed):
        engine.run(pictures(1))
    np.testing.assert_allclose(again.run(pictures(2)), expected(pictures(2)), atol=1e-5)
    process = again._child.process
    del again
    assert process.poll() is not None


def test_closing_during_calls_ends_them_and_starts_no_process() -> None:
    engine = misbehaving()
    with ThreadPoolExecutor(2) as threads:
        running = threads.submit(engine.run, picture(2))
        while not engine._lock.locked():  # type: ignore[attr-defined]
            time.sleep(0.01)
        waiting = threads.submit(engine.run, picture(9))
        time.sleep(0.3)
        engine.close()
        with pytest.raises(EngineCrashed, match="the engine of fine was ended during a call"):
            running.result(30)
        with pytest.raises(EngineClosed):
            waiting.result(30)
    assert engine._child.process is None  # type: ignore[attr-defined]


def test_a_child_ends_with_its_parent() -> None:
    engine = misbehaving()
    process = engine._child.process  # type: ignore[attr-defined]
    process.stdin.close()
    assert process.wait(30) == 0
    engine.close()


def test_a_folder_beside_the_model_is_not_imported_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('imported from the working folder')")
    path = write_tflite(tmp_path)
    monkeypatch.chdir(tmp_path)
    with open_engine(path, options=ISOLATED) as engine:
        assert engine.run(pictures(1)).shape == (1, 10)


def test_predict_and_selftest_in_isolation(run_command: RunCommand, tmp_path: Path) -> None:
    picture_file = REPOSITORY / "examples" / "3-blue-pen.jpg"
    alone = run_command("predict", picture_file).stdout
    done = run_command("predict", picture_file, "--isolate", "-v")
    assert done.stdout == alone
    assert "XNNPACK, isolated" in done.stderr
    assert "passed" in run_command("selftest", "pico", "--isolate").stdout
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes((SHIPPED / "pico.onnx").read_bytes()[:5000])
    error = run_command("predict", picture_file, "--model", damaged, "--isolate", check=1).stderr
    assert error.startswith("error: ") and len(error.splitlines()) == 1


@pytest.mark.slow
def test_keras_in_isolation() -> None:
    images = pictures(3)
    with open_model(SHIPPED / "pico.keras", options=ISOLATED) as engine, open_model(SHIPPED / "pico.keras") as here:
        assert engine.name == "keras"
        np.testing.assert_allclose(engine.run(images), here.run(images), atol=1e-6)
    small = dataclasses.replace(ISOLATED, isolation=Isolation(opening_seconds=0.2))
    with pytest.raises(EngineCrashed, match=r"0\.2 seconds"):
        open_model(SHIPPED / "pico.keras", options=small)
