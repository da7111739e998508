"""Compile the C export to WebAssembly with clang and wasm-ld.

The module exports its memory, digits_pixels(), digits_outputs() and digits_run(), see native/digits_wasm.c. It imports
nothing, so it can only compute. The same compiler makes the same bytes of the same C.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from edgedigits_exporters.microcontroller.c import COptions, c_files
from edgedigits_exporters.web.origin import Origin, file_sha256, read_origin, with_origin
from edgedigits_runtime.errors import ConversionFailed, ToolMissing

NATIVE = files("edgedigits_exporters.web").joinpath("native")

TOOLS = {"clang": "clang", "wasm-ld": "lld"}
"""Programs, and the Debian package of each."""

COMPILE = (
    "clang",
    "--target=wasm32",
    "-std=c99",
    # Nearly as fast as -O3, and half its size for nano, whose code is larger than its weights.
    "-O2",
    "-fno-unroll-loops",
    "-fdata-sections",
    "-ffunction-sections",
    "-ffreestanding",
    # A fused multiply-add rounds once, LiteRT rounds twice.
    "-ffp-contract=off",
    # All browsers have both since 2023: Chrome 91, Firefox 89, Safari 16.4.
    "-msimd128",
    "-mbulk-memory",
    "-I.",
)

LINK = (
    "wasm-ld",
    "--no-entry",
    "--gc-sections",
    "--strip-all",
    # A stack below the data traps when it overflows, instead of overwriting weights.
    "--stack-first",
    "-z",
    "stack-size=16384",
)


def build_wasm(model: Path, options: COptions) -> bytes:
    """Return an int8 `.tflite` file as a WebAssembly module that names its origin.

    Raises:
        ToolMissing: clang or wasm-ld is not installed.
        ArtifactError: the file cannot be used, or has an operator that is not supported.
        ConversionFailed: the compiler or the linker failed.
    """
    version = compiler_version()
    module = compile_wasm(c_files(model, options))
    return with_origin(module, Origin(file_sha256(model), options.kernels, version))


def prebuilt_wasm(model: Path, options: COptions) -> bytes | None:
    """Return the `.wasm` file beside a `.tflite` file; None if there is none that was compiled from it.

    Raises:
        ArtifactCorrupt: the `.wasm` file is damaged, or does not name its origin.
    """
    ready = model.with_suffix(".wasm")
    if options.contract is not None or not ready.is_file():
        return None
    module = ready.read_bytes()
    origin = read_origin(module, str(ready))
    return module if (origin.tflite, origin.kernels) == (file_sha256(model), options.kernels) else None


def compile_wasm(sources: Mapping[str, str | bytes], compiler: Sequence[str] = COMPILE) -> bytes:
    """Return digits.c and digits.h as a WebAssembly module; `compiler` is the command with its flags.

    Raises:
        ToolMissing, ConversionFailed: see build_wasm.
    """
    require_tools()
    native = {file.name: file.read_text() for file in NATIVE.iterdir() if file.is_file()}
    with tempfile.TemporaryDirectory(prefix="edgedigits-") as folder:
        place = Path(folder)
        for name, text in {**native, "digits.h": sources["digits.h"], "digits.c": sources["digits.c"]}.items():
            (place / name).write_text(str(text))
        # Names without a folder keep the path of this one out of the module.
        _run(place, *compiler, "-c", "digits_wasm.c", "-o", "digits_wasm.o")
        _run(place, *LINK, "digits_wasm.o", "-o", "digits.wasm")
        return (place / "digits.wasm").read_bytes()


def compiler_version() -> str:
    """Return clang's name and version.

    Raises:
        ToolMissing: clang is not installed.
    """
    require_tools()
    return _run(Path(), "clang", "--version").partition("\n")[0]


def require_tools() -> None:
    """Check that clang and wasm-ld are installed.

    Raises:
        ToolMissing: one of them is not.
    """
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise ToolMissing(
            f"compiling this model to WebAssembly needs {' and '.join(missing)}, not found on PATH; install with:"
            f" apt-get install {' '.join(TOOLS[tool] for tool in missing)} (the shipped models need no compiler)"
        )


def _run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = next((line.strip() for line in done.stderr.splitlines() if "error" in line), "no error message")
        raise ConversionFailed(f"{command[0]} failed to compile the network to WebAssembly: {reason}")
    return done.stdout
