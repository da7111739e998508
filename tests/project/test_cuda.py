"""The errors name each missing part of CUDA, piece by piece, on machines that have none of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from edgedigits_runtime.engines import cuda, open_engine
from edgedigits_runtime.errors import DeviceUnavailable
from tests.support.tiny_models import write_onnx

BUILT_FOR_CUDA = ["CUDAExecutionProvider", "CPUExecutionProvider"]
BUILT_FOR_CPU = ["CPUExecutionProvider"]


def loader(**refused: str) -> Callable[[str], object]:
    """Return a loader that refuses the named libraries: start of the file name to error message."""

    def load(library: str) -> object:
        for start, message in refused.items():
            if Path(library).name.startswith(start):
                raise OSError(message)
        return None

    return load


@pytest.fixture(autouse=True)
def one_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with one wheel, that is no Jetson, and with the files of the CUDA provider."""
    monkeypatch.setattr(cuda, "installed_wheels", lambda: ["onnxruntime-gpu"])
    monkeypatch.setattr(cuda, "JETSON", tmp_path / "nv_tegra_release")
    libraries = [tmp_path / f"libonnxruntime_providers_{name}.so" for name in ("shared", "cuda")]
    monkeypatch.setattr(cuda, "_provider_libraries", lambda: libraries)


def test_the_wheel_for_cpus() -> None:
    assert "pip uninstall" in cuda.missing_piece(BUILT_FOR_CPU, loader())


def test_both_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "installed_wheels", lambda: ["onnxruntime", "onnxruntime-gpu"])
    for built in (BUILT_FOR_CPU, BUILT_FOR_CUDA):
        assert "pip uninstall" in cuda.missing_piece(built, loader())


def test_a_jetson_needs_nvidias_own_wheel(tmp_path: Path) -> None:
    (tmp_path / "nv_tegra_release").write_text("# R36 (release), REVISION: 4.0")
    assert "JetPack" in cuda.missing_piece(BUILT_FOR_CPU, loader())
    assert cuda.wheel_problem(BUILT_FOR_CUDA) == ""


def test_no_driver() -> None:
    problem = cuda.missing_piece(BUILT_FOR_CUDA, loader(libcuda="libcuda.so.1: cannot open shared object file"))
    assert "libcuda.so.1" in problem


@pytest.mark.parametrize(("library", "of"), [("libcudnn.so.9", "cuDNN"), ("libcublasLt.so.13", "CUDA")])
def test_a_missing_library_is_named(library: str, of: str) -> None:
    reason = f"{library}: cannot open shared object file: No such file or directory"
    problem = cuda.missing_piece(BUILT_FOR_CUDA, loader(libonnxruntime_providers_cuda=reason))
    assert library in problem and of in problem and "pip install 'edgedigits[gpu]'" in problem


def test_other_loader_errors_are_reported() -> None:
    problem = cuda.missing_piece(BUILT_FOR_CUDA, loader(libonnxruntime_providers_shared="file too short"))
    assert problem.endswith(": file too short")


def test_an_unknown_reason() -> None:
    assert cuda.missing_piece(BUILT_FOR_CUDA, loader()).startswith("ONNX Runtime ")


def test_auto_uses_the_cpu_where_cuda_does_not_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import onnxruntime
    from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException

    real = onnxruntime.InferenceSession

    def session(content: bytes, options: object, providers: list[object], **settings: object) -> object:
        if providers != ["CPUExecutionProvider"]:
            raise RuntimeException("CUDA failure 35: driver version is insufficient")
        return real(content, options, providers=providers, **settings)

    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: BUILT_FOR_CUDA)
    monkeypatch.setattr(cuda, "preload", lambda: None)
    path = write_onnx(tmp_path)
    assert open_engine(path, device="auto").device == "cpu"
    with pytest.raises(DeviceUnavailable, match=r"--device cuda:0.*CUDA failure 35"):
        open_engine(path, device="cuda")
