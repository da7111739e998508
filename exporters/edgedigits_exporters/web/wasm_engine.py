"""The C export as WebAssembly: a few kilobytes more than the weights, and bit for bit LiteRT's answers."""

from pathlib import Path

from edgedigits_exporters.microcontroller.c import golden_vectors
from edgedigits_exporters.web import EngineParts, WebOptions
from edgedigits_exporters.web.webassembly import build_wasm, prebuilt_wasm, require_tools
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.golden import golden_path, read_golden

SUFFIX = ".tflite"


def require(model: Path, options: WebOptions) -> None:
    """Check that the compiler is installed, if it is needed.

    Raises:
        ToolMissing: clang or wasm-ld is not installed.
    """
    if model.suffix == ".keras" or prebuilt_wasm(model, options.code) is None:
        require_tools()


def parts(model: Path, options: WebOptions) -> EngineParts:
    """Return the parts that run an int8 `.tflite` file in a page.

    Raises:
        ToolMissing, ArtifactError, ConversionFailed: see build_wasm.
    """
    ready = prebuilt_wasm(model, options.code)
    # LiteRT on another processor than the one that built the shipped models may differ in the last bit.
    if ready and golden_path(model).is_file():
        return EngineParts({"model": ready}, read_golden(golden_path(model)), options.kernels)
    golden = golden_vectors(model, options.contract or read_contract(model), options.kernels)
    return EngineParts({"model": ready or build_wasm(model, options.code)}, golden, options.kernels)
