"""From the C export to WebAssembly: clang and wasm-ld, no library, nothing taken from the page.

The module exports its memory, digits_pixels(), digits_outputs() and digits_run(), see native/digits_wasm.c. It imports
nothing, so that it can do nothing but compute. The same compiler makes the same bytes of the same C.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from edgedigits_exporters.microcontroller.c import COptions, c_files
from edgedigits_exporters.web.origin import Origin, fingerprint, read_origin, with_origin
from edgedigits_runtime.errors import ConversionFailed, ToolMissing

NATIVE = files("edgedigits_exporters.web").joinpath("native")

TOOLS = {"clang": "clang", "wasm-ld": "lld"}
"""What is run, and the Debian package that it is in."""

COMPILE = (
    "clang",
    "--target=wasm32",
    "-std=c99",
    # Nearly as fast as -O3, and for nano, whose code outweighs its weights, half of its size.
    "-O2",
    "-fno-unroll-loops",
    "-fdata-sections",
    "-ffunction-sections",
    "-ffreestanding",
    # Multiplying and adding in one rounding would round otherwise than the model does.
    "-ffp-contract=off",
    # Both are in every browser since 2023: Chrome 91, Firefox 89, Safari 16.4.
    "-msimd128",
    "-mbulk-memory",
    "-I.",
)

LINK = (
    "wasm-ld",
    "--no-entry",
    "--gc-sections",
    "--strip-all",
    # Below the data, so that a stack that grows too far stops the module and does not overwrite weights.
    "--stack-first",
    "-z",
    "stack-size=16384",
)


def build_wasm(model: Path, options: COptions) -> bytes:
    """Return an int8 `.tflite` file as a WebAssembly module that says what it was made of.

    Raises:
        ToolMissing: clang or wasm-ld is not installed.
        ArtifactError: the file cannot be used, or it holds what is not compiled.
        ConversionFailed: the compiler or the linker failed.
    """
    version = compiler_version()
    made = compile_wasm(c_files(model, options))
    return with_origin(made, Origin(fingerprint(model), options.kernels, version))


def prebuilt_wasm(model: Path, options: COptions) -> bytes | None:
    """Return the `.wasm` that stands beside a `.tflite` file, as shipped models have one; None if it is not of it.

    Raises:
        ArtifactCorrupt: it does not say what it was made of.
    """
    ready = model.with_suffix(".wasm")
    if options.contract is not None or not ready.is_file():
        return None
    module = ready.read_bytes()
    origin = read_origin(module, str(ready))
    return module if (origin.tflite, origin.kernels) == (fingerprint(model), options.kernels) else None


def compile_wasm(sources: Mapping[str, str | bytes], compiler: Sequence[str] = COMPILE) -> bytes:
    """Return digits.c and digits.h as a WebAssembly module; `compiler`: and its flags.

    Raises:
        ToolMissing, ConversionFailed: see build_wasm.
    """
    require_tools()
    native = {file.name: file.read_text() for file in NATIVE.iterdir() if file.is_file()}
    with tempfile.TemporaryDirectory(prefix="edgedigits-") as folder:
        place = Path(folder)
        for name, text in {**native, "digits.h": sources["digits.h"], "digits.c": sources["digits.c"]}.items():
            (place / name).write_text(str(text))
        # Names without a folder, so that no path gets into the module.
        _run(place, *compiler, "-c", "digits_wasm.c", "-o", "digits_wasm.o")
        _run(place, *LINK, "digits_wasm.o", "-o", "digits.wasm")
        return (place / "digits.wasm").read_bytes()


def compiler_version() -> str:
    """Return clang's name and version, the first line that it prints.

    Raises:
        ToolMissing: it is not installed.
    """
    require_tools()
    return _run(Path(), "clang", "--version").partition("\n")[0]


def require_tools() -> None:
    """Refuse to start without clang and wasm-ld.

    Raises:
        ToolMissing: one of them is not installed.
    """
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        packages = " ".join(TOOLS[tool] for tool in missing)
        raise ToolMissing(
            f"the network has to be compiled to WebAssembly and {' and '.join(missing)} cannot be found; install it"
            f" (apt-get install {packages}); only the shipped models come compiled"
        )


def _run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        said = next((line for line in done.stderr.splitlines() if "error" in line), "it gave no reason")
        raise ConversionFailed(f"{command[0]} could not make WebAssembly of the network: {said.strip()}")
    return done.stdout
