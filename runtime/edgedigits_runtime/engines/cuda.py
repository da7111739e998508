"""Find out what ONNX Runtime lacks to run on an NVIDIA GPU, so that an error can name it."""

import contextlib
import ctypes
import io
import platform
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from edgedigits_runtime.machine import installed_version
from edgedigits_runtime.native_messages import silenced

WHEELS = ("onnxruntime", "onnxruntime-gpu")

INSTALL = "pip uninstall -y onnxruntime onnxruntime-gpu && pip install 'edgedigits[gpu]'"

JETSON = Path("/etc/nv_tegra_release")
JETSON_WHEEL = (
    "the package index has no onnxruntime-gpu for a Jetson; install NVIDIA's own wheel for your JetPack,"
    " https://elinux.org/Jetson_Zoo#ONNX_Runtime"
)

# The driver, loaded by the same name as in ONNX Runtime's library.
DRIVER = "nvcuda.dll" if platform.system() == "Windows" else "libcuda.so.1"
MISSING_LIBRARY = re.compile(r"(lib[\w.+-]+\.so[\d.]*): cannot open")


def preload() -> None:
    """Load the libraries of NVIDIA's wheels, which are not on the system loader's path."""
    import onnxruntime

    if hasattr(onnxruntime, "preload_dlls"):
        # It prints the libraries it does not find; missing_piece reports them in one line.
        with silenced(), contextlib.redirect_stdout(io.StringIO()):
            onnxruntime.preload_dlls()


def installed_wheels() -> list[str]:
    """Return the installed wheels of ONNX Runtime; two of them overwrite each other's files."""
    return [wheel for wheel in WHEELS if installed_version(wheel)]


def _load(library: str) -> object:
    # Libraries loaded later need the symbols of this one.
    return ctypes.CDLL(library, ctypes.RTLD_GLOBAL)


def missing_piece(built: Sequence[str], load: Callable[[str], object] = _load) -> str:
    """Return in one line why CUDA does not start with a wheel built with these providers, and how to fix it."""
    if problem := wheel_problem(built):
        return problem
    try:
        load(DRIVER)
    except OSError:
        return f"there is no NVIDIA driver ({DRIVER} cannot be loaded); install it, and check with nvidia-smi"
    for library in _provider_libraries():
        try:
            load(str(library))
        except OSError as error:
            return _library_problem(str(error))
    return "ONNX Runtime gave no reason; compare its CUDA and cuDNN versions with nvidia-smi's and edgedigits doctor's"


def wheel_problem(built: Sequence[str]) -> str:
    """Return the problem with the installed wheels; empty if there is none."""
    if len(installed_wheels()) > 1:
        return f"onnxruntime and onnxruntime-gpu are both installed and overwrite each other; run: {INSTALL}"
    if "CUDAExecutionProvider" in built:
        return ""
    if JETSON.exists():
        return JETSON_WHEEL
    return f"the installed ONNX Runtime is the one for CPUs; run: {INSTALL}"


def _library_problem(reason: str) -> str:
    """Name the library that the system's loader did not find."""
    found = MISSING_LIBRARY.search(reason)
    if not found:
        return f"ONNX Runtime's CUDA library cannot be loaded: {reason}"
    library = found.group(1)
    of = "cuDNN" if "cudnn" in library else "CUDA"
    return (
        f"{library} of {of} is missing; run: pip install 'edgedigits[gpu]', which brings CUDA's and cuDNN's libraries"
    )


def _provider_libraries() -> list[Path]:
    """Return the libraries of ONNX Runtime's CUDA provider, dependencies first."""
    import onnxruntime

    folder = Path(onnxruntime.__file__).parent / "capi"
    names = ("onnxruntime_providers_shared", "onnxruntime_providers_cuda")
    return [path for name in names for path in (folder / f"lib{name}.so", folder / f"{name}.dll") if path.is_file()]
