"""Engines with devices, cores, streams and libraries that exist or are missing."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.engines import ENGINES, open_engine, probe_engines
from edgedigits_runtime.errors import DeviceUnavailable, UnknownName
from tests.support.needs import needs
from tests.support.tiny_models import pictures, write_onnx, write_tflite


@pytest.mark.parametrize("device", ["cuda", "cuda:1", "tensorrt", "openvino", "coreml"])
def test_a_missing_device_is_an_error_without_fallback(device: str, tiny_model: Path) -> None:
    with pytest.raises(DeviceUnavailable):
        open_engine(tiny_model, device=device)
    assert open_engine(tiny_model, device="cpu").device == "cpu"


def test_an_unknown_device_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"'npu'.*auto, cpu, cuda, "):
        open_engine(write_onnx(tmp_path), device="npu")


def test_a_process_is_kept_on_cores_that_exist(tiny_model: Path) -> None:
    before = os.sched_getaffinity(0)
    try:
        open_engine(tiny_model, options=EngineOptions(cores=(min(before),)))
        assert os.sched_getaffinity(0) == {min(before)}
    finally:
        os.sched_setaffinity(0, before)
    with pytest.raises(DeviceUnavailable, match=r"1023.*0"):
        open_engine(tiny_model, options=EngineOptions(cores=(1023,)))


def test_nothing_is_printed_on_either_stream(tiny_model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """File descriptors are captured, because native code writes to them."""
    open_engine(tiny_model).run(pictures(2))
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
    printed = subprocess.run(
        [sys.executable, "-c", BLOCKED, write_onnx(tmp_path), write_tflite(tmp_path)],
        capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    assert [line for line in printed if not line.startswith("c ")] == [
        "MissingExtra ONNX Runtime needs the [onnx] extra, which is not installed; run: pip install 'edgedigits[onnx]'",
        "DeviceUnavailable the LiteRT interpreter is not installed; run: pip install ai-edge-litert",
        "litert None pip install ai-edge-litert",
        "onnxruntime None pip install 'edgedigits[onnx]'",
    ]


@needs("cc")
def test_probes_name_the_engines_that_run_here() -> None:
    reports = probe_engines()
    assert list(reports) == list(ENGINES)
    assert reports["litert"].providers == ("XNNPACK",)
    assert reports["onnxruntime"].providers == ("CPUExecutionProvider",)
    assert all(re.match(r"\d+\.\d+", report.version or "") for report in reports.values())
