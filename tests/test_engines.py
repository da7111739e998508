"""Both engines on hand-made files: right answers, the truth about where they ran, and readable refusals."""

import concurrent.futures
import dataclasses
import multiprocessing
import os
import pickle
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import flatbuffers
import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import (
    contract,
    expected,
    int8_contract,
    onnx_bytes,
    pictures,
    tflite_bytes,
    write_onnx,
    write_tflite,
)

from edgedigits_runtime.contract import Contract, Tensor
from edgedigits_runtime.engines import ENGINES, open_engine, probe_engines
from edgedigits_runtime.engines.binding import BoundSession
from edgedigits_runtime.engines.engine import Engine, EngineOptions, Kernels
from edgedigits_runtime.errors import (
    ArrayError,
    ArtifactCorrupt,
    ArtifactNotFound,
    ArtifactUnsupported,
    ContractInvalid,
    ContractMissing,
    DeviceUnavailable,
    EngineClosed,
    UnknownName,
)

WRITERS: dict[str, Callable[[Path], Path]] = {
    "litert-float32": write_tflite,
    "litert-int8": lambda folder: write_tflite(folder, "int8"),
    "onnxruntime": write_onnx,
}


@pytest.fixture(params=WRITERS)
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return WRITERS[request.param](tmp_path)


@pytest.fixture(scope="module")
def bound() -> BoundSession:
    session = onnxruntime.InferenceSession(onnx_bytes(None), providers=["CPUExecutionProvider"])
    return BoundSession(session, "cpu")


def run_python(code: str, *arguments: object, **options: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        **{"capture_output": True, "text": True, "check": True, **options},  # type: ignore[call-overload]
    )


def test_the_answers_are_those_of_the_arithmetic(model: Path) -> None:
    images = pictures(70)
    engine = open_engine(model)
    answers = engine.run(images)
    assert answers.shape == (70, 10)
    assert answers.dtype == np.float32
    quantized = engine.contract.input.dtype == "int8"
    # int8: logits in steps of 0.25 and probabilities in steps of 1/256.
    np.testing.assert_allclose(answers, expected(images), atol=0.07 if quantized else 1e-5)


def test_an_engine_says_what_it_is(model: Path) -> None:
    engine = open_engine(model)
    assert engine.device == "cpu"
    if model.suffix == ".onnx":
        assert (engine.name, engine.providers) == ("onnxruntime", ("CPUExecutionProvider",))
    else:
        assert (engine.name, engine.providers) == ("litert", ("XNNPACK",))


def test_a_batch_gives_the_answers_of_its_images(model: Path) -> None:
    engine = open_engine(model)
    images = pictures(130)
    one_by_one = np.concatenate([engine.run(image[None]) for image in images])
    np.testing.assert_allclose(engine.run(images), one_by_one, atol=1e-6)


def test_eight_threads_get_the_sequential_answers(model: Path) -> None:
    engine = open_engine(model)
    batches = [pictures(3, seed) for seed in range(200)]
    sequential = [engine.run(batch) for batch in batches]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for found, wanted in zip(pool.map(engine.run, batches), sequential, strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_answers_are_not_overwritten_by_the_next_call(model: Path) -> None:
    engine = open_engine(model)
    first = engine.run(pictures(1, 1))
    kept = first.copy()
    engine.run(pictures(1, 2))
    np.testing.assert_array_equal(first, kept)


def test_feed_gives_what_the_file_takes(tmp_path: Path) -> None:
    images = pictures(2)
    quantized = open_engine(write_tflite(tmp_path, "int8")).feed(images)
    assert quantized.dtype == np.int8
    np.testing.assert_array_equal(quantized.astype(int), images.astype(int) - 128)
    assert open_engine(write_onnx(tmp_path)).feed(images).dtype == np.float32


def test_wrong_arrays_are_refused(model: Path) -> None:
    engine = open_engine(model)
    for wrong in (pictures(1)[:, :27], pictures(1).astype(np.float32), pictures(0)):
        with pytest.raises(ArrayError, match="expected"):
            engine.run(wrong)  # type: ignore[arg-type]


def test_a_normalisation_of_the_contract_is_used(tmp_path: Path) -> None:
    path = tmp_path / "l2.onnx"
    path.write_bytes(onnx_bytes(contract(normalisation="column-l2")))
    fed = open_engine(path).feed(pictures(1))
    np.testing.assert_allclose(np.square(fed).sum(axis=1), 1, rtol=1e-5)


def test_a_given_contract_takes_the_place_of_the_files_own(tmp_path: Path) -> None:
    for path in (write_onnx(tmp_path), write_tflite(tmp_path)):
        assert open_engine(path, contract=contract(name="mine")).contract.name == "mine"
    bare = tmp_path / "bare.tflite"
    bare.write_bytes(tflite_bytes(None, "int8"))
    given = int8_contract(name="mine")
    assert open_engine(bare, contract=given).run(pictures(1)).shape == (1, 10)


@pytest.mark.parametrize(
    ("suffix", "content"), [(".tflite", tflite_bytes(None)), (".onnx", onnx_bytes(None))], ids=["tflite", "onnx"]
)
def test_a_foreign_model_needs_a_contract(suffix: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"foreign{suffix}"
    path.write_bytes(content)
    with pytest.raises(ContractMissing, match="--contract FILE"):
        open_engine(path)


def _border(given: Contract, **changes: object) -> Contract:
    return dataclasses.replace(given, input=dataclasses.replace(given.input, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("dtype", "given"),
    [
        ("float32", _border(contract(), shape=(None, 32, 32, 1))),
        ("float32", _border(contract(), shape=(None, 28, 28, 3))),
        ("float32", contract(labels=("a", "b"), output=Tensor("p", (None, 2), "float32"))),
        ("float32", int8_contract()),
        ("int8", contract()),
        ("int8", _border(int8_contract(), scale=1 / 256)),
        ("int8", _border(int8_contract(), zero_point=0)),
        ("int8", _border(int8_contract(), dtype="uint8", zero_point=0)),
    ],
)
def test_a_contract_that_does_not_match_the_tensors(dtype: str, given: Contract, tmp_path: Path) -> None:
    path = tmp_path / "odd.tflite"
    path.write_bytes(tflite_bytes(given, dtype))
    with pytest.raises(ContractInvalid, match=r"odd\.tflite: the contract says (in|out)put .*, the file has "):
        open_engine(path)
    if dtype == "float32":
        path = tmp_path / "odd.onnx"
        path.write_bytes(onnx_bytes(given))
        with pytest.raises(ContractInvalid, match=r"odd\.onnx: the contract says"):
            open_engine(path)


def test_unknown_names() -> None:
    with pytest.raises(UnknownName, match=r"unknown engine 'tensorrt'; known: litert, onnxruntime"):
        open_engine(Path("a.tflite"), engine="tensorrt")
    with pytest.raises(UnknownName, match=r"unknown model file type '.pt'; known: .tflite, .onnx"):
        open_engine(Path("a.pt"))
    with pytest.raises(UnknownName, match="unknown model file type 'noname'"):
        open_engine(Path("noname"))
    with pytest.raises(UnknownName, match=r"unknown engine for .onnx files 'litert'; known: onnxruntime"):
        open_engine(Path("a.onnx"), engine="litert")


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_a_missing_file_and_a_folder(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactNotFound, match=f"no model file at .*gone{suffix}"):
        open_engine(tmp_path / f"gone{suffix}")
    (tmp_path / f"folder{suffix}").mkdir()
    with pytest.raises(ArtifactNotFound):
        open_engine(tmp_path / f"folder{suffix}")


@pytest.mark.parametrize("content", [b"", b"\n", b"I am a text, and long enough for a header.\n" * 9, bytes(5000)])
@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_another_files_bytes(suffix: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"text{suffix}"
    path.write_bytes(content)
    with pytest.raises(ArtifactCorrupt, match=f"text{suffix} is not a whole {suffix} file") as caught:
        open_engine(path)
    assert "\n" not in str(caught.value)


WHOLE_TFLITE, WHOLE_ONNX = tflite_bytes(int8_contract(), "int8"), onnx_bytes(contract())
FLATBUFFER = len(tflite_bytes(None, "int8"))


@settings(max_examples=60)
@given(share=st.floats(0, 0.999))
@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_truncated_files(suffix: str, share: float, tmp_path_factory: pytest.TempPathFactory) -> None:
    whole, model = (WHOLE_TFLITE, FLATBUFFER) if suffix == ".tflite" else (WHOLE_ONNX, len(WHOLE_ONNX))
    kept = int(share * len(whole))
    path = tmp_path_factory.getbasetemp() / f"cut{suffix}"
    path.write_bytes(whole[:kept])
    # A flatbuffer without its zip is a whole model that lost its contract.
    with pytest.raises(ArtifactCorrupt if kept < model else ContractMissing):
        open_engine(path)


OPEN_DAMAGED = """
import sys, numpy as np
from pathlib import Path
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.errors import ArtifactError
whole, path, rng = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2]), np.random.default_rng(0)
for _ in range(150):
    damaged = bytearray(whole)
    for place in rng.integers(0, 600, 3):
        damaged[place] = rng.integers(256)
    path.write_bytes(damaged)
    try:
        open_engine(path)
        print("opened")
    except ArtifactError:
        print("refused")
"""


@pytest.mark.parametrize("write", [write_onnx, write_tflite])
def test_damaged_headers_are_refused_or_harmless(write: Callable[[Path], Path], tmp_path: Path) -> None:
    """In a process of its own: what native code does with damaged bytes may be to die."""
    path = write(tmp_path)
    printed = run_python(OPEN_DAMAGED, path, tmp_path / f"damaged{path.suffix}").stdout.split()
    assert len(printed) == 150
    assert "refused" in printed


@pytest.mark.parametrize("device", ["cuda", "cuda:1", "tensorrt", "openvino", "coreml"])
def test_a_device_that_is_not_here_is_an_error_and_no_silent_fallback(device: str, model: Path) -> None:
    said = "LiteRT runs on the CPU" if model.suffix == ".tflite" else "pip uninstall|cannot start|built without"
    with pytest.raises(DeviceUnavailable, match=said):
        open_engine(model, device=device)
    assert open_engine(model, device="cpu").device == "cpu"


def test_an_unknown_device_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="unknown device 'npu'; known: auto, cpu, cuda, "):
        open_engine(write_onnx(tmp_path), device="npu")


def test_many_images_are_divided_among_workers(model: Path) -> None:
    images = pictures(3 * Engine.part + 7)
    one = open_engine(model, options=EngineOptions(workers=1))
    three = open_engine(model, options=EngineOptions(workers=3))
    assert (one.workers, three.workers) == (1, 3)
    np.testing.assert_allclose(three.run(images), one.run(images), atol=1e-6)


@pytest.mark.slow
def test_sixteen_threads_and_a_hundred_thousand_images(model: Path) -> None:
    batches = [pictures(count, count) for count in (1, 3, 62, 1, 558)]
    engine = open_engine(model, options=EngineOptions(workers=4))
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
def test_an_engine_can_be_sent_to_another_process(model: Path) -> None:
    engine, images = open_engine(model, options=EngineOptions(workers=2)), pictures(5)
    spawning = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawning) as pool:
        np.testing.assert_array_equal(pool.submit(_answers, engine, images).result(), engine.run(images))


def test_a_pickled_engine_is_the_same_again(model: Path) -> None:
    engine = open_engine(model, options=EngineOptions(workers=2))
    again = pickle.loads(pickle.dumps(engine))
    assert (again.contract, again.providers, again.workers) == (engine.contract, engine.providers, 2)


def test_a_closed_engine_says_so(model: Path) -> None:
    with open_engine(model, options=EngineOptions(workers=2)) as engine:
        engine.run(pictures(2 * Engine.part))
    engine.close()
    with pytest.raises(EngineClosed, match="tiny was closed; open it again"):
        engine.run(pictures(1))


@pytest.mark.parametrize("kernels", ["xnnpack", "builtin", "reference"])
def test_the_kernels_in_effect_are_named(kernels: Kernels, tmp_path: Path) -> None:
    images = pictures(20)
    engine = open_engine(write_tflite(tmp_path, "int8"), options=EngineOptions(kernels=kernels))
    assert engine.providers == ({"xnnpack": "XNNPACK"}.get(kernels, kernels),)
    np.testing.assert_allclose(engine.run(images), expected(images), atol=0.07)


def test_a_process_is_kept_on_cores_that_exist(model: Path) -> None:
    before = os.sched_getaffinity(0)
    try:
        open_engine(model, options=EngineOptions(cores=(min(before),)))
        assert os.sched_getaffinity(0) == {min(before)}
    finally:
        os.sched_setaffinity(0, before)
    with pytest.raises(DeviceUnavailable, match="cannot run on core 1023; it may use 0"):
        open_engine(model, options=EngineOptions(cores=(1023,)))


def test_operators_without_a_kernel(tmp_path: Path) -> None:
    from ai_edge_litert import schema_py_generated as schema

    path = tmp_path / "custom.tflite"
    model = schema.ModelT.InitFromPackedBuf(tflite_bytes(None), 0)
    model.operatorCodes[2].builtinCode = schema.BuiltinOperator.CUSTOM
    model.operatorCodes[2].deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    model.operatorCodes[2].customCode = b"FlexSoftmax"
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    with pytest.raises(ArtifactUnsupported, match=r"no kernel for: .*FlexSoftmax"):
        open_engine(path, contract=contract(format="tflite"))


@pytest.mark.parametrize(("change", "number"), [("opset", 999), ("ir_version", 99)])
def test_a_model_newer_than_onnx_runtime(change: str, number: int, tmp_path: Path) -> None:
    import onnx

    model = onnx.load_from_string(onnx_bytes(contract()))
    if change == "opset":
        model.opset_import[0].version = number
    else:
        model.ir_version = number
    path = tmp_path / "new.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ArtifactUnsupported, match="is newer than this ONNX Runtime"):
        open_engine(path)


@settings(max_examples=20)
@given(counts=st.lists(st.integers(1, 600), min_size=1, max_size=4))
def test_bound_memory_gives_the_answers_of_plain_calls(counts: list[int], bound: BoundSession) -> None:
    """On the CPU's own memory; a GPU differs in the memory's name."""
    for count in counts:
        images = pictures(count, count).astype(np.float32) / 255
        np.testing.assert_allclose(bound.run(images), expected(pictures(count, count)), atol=1e-5)


def test_nothing_is_printed_on_either_stream(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """At the level of file descriptors, where native code writes."""
    open_engine(model).run(pictures(2))
    os.write(2, b"still open")
    assert capfd.readouterr() == ("", "still open")


def test_a_process_without_standard_error_can_read(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from edgedigits_runtime.engines import open_engine
open_engine(Path(sys.argv[1]))
print("read")
"""
    command = [shutil.which("sh") or "sh", "-c", 'exec "$@" 2>&-', "sh", sys.executable, "-c", code]
    done = subprocess.run([*command, str(write_tflite(tmp_path))], stdout=subprocess.PIPE, text=True)
    assert (done.returncode, done.stdout) == (0, "read\n")


BLOCKED = """
import importlib.abc, sys
from pathlib import Path

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in ("onnxruntime", "ai_edge_litert"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
from edgedigits_runtime.engines import open_engine, probe_engines
for path in sys.argv[1:]:
    try:
        open_engine(Path(path))
    except Exception as error:
        print(type(error).__name__, error)
for name, report in probe_engines().items():
    print(name, report.version, report.mend)
"""


def test_a_library_that_is_not_installed(tmp_path: Path) -> None:
    printed = run_python(BLOCKED, write_onnx(tmp_path), write_tflite(tmp_path)).stdout.splitlines()
    assert printed == [
        "MissingExtra ONNX Runtime needs the [onnx] extra, which is not installed; run: pip install 'edgedigits[onnx]'",
        "DeviceUnavailable the LiteRT interpreter is not installed; run: pip install ai-edge-litert",
        "litert None pip install ai-edge-litert",
        "onnxruntime None pip install 'edgedigits[onnx]'",
    ]


def test_probes_name_what_really_runs_here() -> None:
    reports = probe_engines()
    assert list(reports) == list(ENGINES)
    assert reports["litert"].providers == ("XNNPACK",)
    assert reports["onnxruntime"].providers == ("CPUExecutionProvider",)
    assert all(re.match(r"\d+\.\d+", report.version or "") for report in reports.values())
