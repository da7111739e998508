"""Fresh processes: cold start, memory, and what is installed."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgedigits.benchmarking.measuring import first_reading as first_reading_module
from edgedigits.benchmarking.measuring import fresh_process
from edgedigits.benchmarking.measuring.first_reading import resident
from edgedigits.benchmarking.measuring.fresh_process import (
    PARTS,
    SIZES,
    ColdStart,
    ProcessOptions,
    installed_bytes,
    measure_cold_start,
    measure_memory,
    needed_by,
    run_fresh_process,
)
from edgedigits.benchmarking.measuring.workload import load_workload
from edgedigits_runtime.child_process import Child
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.errors import ClockError, EngineDied
from tests.support.tiny_models import write_tflite

FILES = load_workload("read", "small").files


@pytest.mark.slow
def test_parts_of_a_cold_start(tmp_path: Path) -> None:
    found = ColdStart([])
    measure_cold_start(ProcessOptions("litert", write_tflite(tmp_path, "int8")), FILES[0], found, 0)
    values = found.to_dict()
    assert values["repeats"] == len(found.starts) == fresh_process.FEWEST
    assert list(values) == ["repeats", *PARTS, "total"]
    for name in PARTS:
        assert values[name].min > 0  # type: ignore[attr-defined]  # a Summary
    assert values["total"].max < 60_000  # type: ignore[attr-defined]
    assert ColdStart([]).to_dict() == {"repeats": 0}


@pytest.mark.slow
def test_memory_grows_from_python_to_its_peak(tmp_path: Path) -> None:
    found = measure_memory(ProcessOptions("litert", write_tflite(tmp_path, "int8")), FILES)
    assert list(found) == list(SIZES)
    before, imported, loaded, _, peak = found.values()
    assert 4e6 < before < imported <= loaded <= peak < 1e9  # type: ignore[operator]  # Linux reports all of them


@pytest.mark.parametrize("options", [EngineOptions(), EngineOptions(threads=2, kernels="reference", cores=(0, 3))])
def test_a_fresh_process_gets_the_engine_options(options: EngineOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[tuple[str, dict[str, Any]]] = []
    read: list[str] = []

    def load(model: str, **given: Any) -> SimpleNamespace:
        loaded.append((model, given))
        return SimpleNamespace(read=read.append)

    def call_here(_: Child, function: str, *arguments: Any, seconds: float) -> dict[str, int]:
        """Do the child's work in this process."""
        assert function == "edgedigits.benchmarking.measuring.first_reading:main" and seconds > 0
        return first_reading_module.main(*json.loads(json.dumps(arguments)))

    monkeypatch.setattr("__main__.started", 0, raising=False)
    monkeypatch.setattr("__main__.before", "", raising=False)
    monkeypatch.setattr("edgedigits.loading.load", load)
    monkeypatch.setattr(Child, "call", call_here)
    given = ProcessOptions("none", Path("a.tflite"), "litert", "cpu", options, "finder.tflite")
    run_fresh_process(given, (Path("a.png"),))
    expected = {"engine": "litert", "device": "cpu", "options": options, "finder": "finder.tflite"}
    assert loaded == [("a.tflite", expected)]
    assert read == ["a.png"]


@pytest.mark.slow
def test_a_failing_process_is_an_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"nothing")
    found = ColdStart([])
    with pytest.raises(EngineDied, match=r"broken\.tflite"):
        measure_cold_start(ProcessOptions("litert", broken), FILES[0], found, 0)
    assert found.starts == []


def test_a_clock_that_processes_do_not_share_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = {"spawned": 100, "started": 90, "imported": 200, "loaded": 300, "read": 400}
    monkeypatch.setattr(fresh_process, "run_fresh_process", lambda *_: moments)
    with pytest.raises(ClockError, match="10 ns"):
        measure_cold_start(ProcessOptions("litert", Path("a.tflite")), FILES[0], ColdStart([]), 0)


@pytest.mark.slow
def test_a_process_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgedigits.benchmarking.measuring.fresh_process.TIMEOUT", 0.01)
    with pytest.raises(EngineDied, match=r"0\.01 seconds"):
        run_fresh_process(ProcessOptions("litert", write_tflite(tmp_path, "int8")), FILES)


def test_resident_memory_of_this_process() -> None:
    now, highest = resident("VmRSS"), resident("VmHWM")
    assert now is not None
    assert highest is not None
    assert 10e6 < now <= highest


def test_installed_bytes() -> None:
    light, with_onnx = installed_bytes("litert"), installed_bytes("onnxruntime")
    assert {"edgedigits", "numpy", "pillow", "ai-edge-litert", "rich", "typer"} <= set(light)
    assert "onnxruntime" not in light
    assert with_onnx["onnxruntime"] > 1e6
    assert light["numpy"] > 1e6
    assert light["edgedigits"] > 1e6


def test_requirements_of_a_distribution() -> None:
    assert needed_by("numpy") == ["numpy"]
    assert {"rich", "pygments", "markdown-it-py", "mdurl"} == set(needed_by("Rich"))
    assert needed_by("no-such-distribution") == []
