"""The C export as WebAssembly, compiled with clang and wasm-ld: bit for bit LiteRT's outputs.

The module exports its memory, digits_pixels(), digits_outputs() and digits_run(), see native/digits_wasm.c. It imports
nothing, so it can only compute. The same compiler makes the same bytes of the same C. A custom section at its end names
the `.tflite` file that it was compiled from; engines skip it (WebAssembly core specification, section 5.5.3).
"""

import dataclasses
import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from edgedigits_exporters.microcontroller.c import COptions, c_files, golden_vectors
from edgedigits_exporters.microcontroller.finder import finder_code_of_any_size, parsed
from edgedigits_exporters.microcontroller.layer import STORED
from edgedigits_exporters.microcontroller.parsing import read_graph
from edgedigits_exporters.microcontroller.planning.lowering import Program, make_program
from edgedigits_exporters.web import EngineParts, WebOptions
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.errors import ArtifactCorrupt, ConversionFailed, ToolMissing
from edgedigits_runtime.finder_contract import read_finder_contract
from edgedigits_runtime.golden import golden_path, read_golden
from edgedigits_runtime.reading.judge import LEAST_SCORE

SUFFIX = ".tflite"

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

# A stack below the data traps when it overflows, instead of overwriting weights.
LINK = ("wasm-ld", "--no-entry", "--gc-sections", "--strip-all", "--stack-first", "-z", "stack-size=16384")

MAGIC = b"\0asm\1\0\0\0"
SECTION = b"\x0aedgedigits"
"""Length and name. JSON escapes line breaks, so that this does not occur in the text behind it."""


@dataclass(frozen=True)
class Origin:
    """Origin of a compiled module.

    Args:
        tflite: SHA-256 of the `.tflite` file, as hexadecimal digits.
        kernels: LiteRT's kernels whose rounding it has.
        compiler: clang's name and version.
    """

    tflite: str
    kernels: str
    compiler: str


def require(model: Path, options: WebOptions) -> None:
    """Check that the compiler is installed if `model` needs it; see require_tools."""
    if model.suffix != ".tflite" or prebuilt_wasm(model, options.code) is None:
        require_tools()


def parts(model: Path, options: WebOptions) -> EngineParts:
    """Return the parts that run an int8 `.tflite` file in a page; see build_wasm for errors."""
    ready = prebuilt_wasm(model, options.code)
    # LiteRT on another processor than the one that built the shipped models may differ in the last bit.
    if ready and golden_path(model).is_file():
        golden = read_golden(golden_path(model))
    else:
        golden = golden_vectors(model, options.contract or read_contract(model), options.kernels)
    settings = {"layers": layers_of(program_of(model, options.code))}
    return EngineParts({"model": ready or build_wasm(model, options.code)}, golden, options.kernels, settings=settings)


def build_wasm(model: Path, options: COptions) -> bytes:
    """Return an int8 `.tflite` file as a WebAssembly module that names its origin.

    Raises:
        ToolMissing: clang or wasm-ld is not installed.
        ArtifactError: the file cannot be used, or has an operator that is not supported.
        ConversionFailed: the compiler or the linker failed.
    """
    version = compiler_version()
    module = compile_wasm(wasm_sources(model, options))
    return with_origin(module, Origin(file_sha256(model), options.kernels, version))


def wasm_sources(model: Path, options: COptions) -> dict[str, str | bytes]:
    """Return the C files from which compile_wasm makes the module of a `.tflite` file; see c_files for errors."""
    return {**c_files(model, options), "layers.h": layers_h(program_of(model, options))}


def program_of(model: Path, options: COptions) -> Program:
    """Return the program of a `.tflite` file; see c_files for errors."""
    contract = options.contract or read_contract(model)
    return make_program(read_graph(model.read_bytes(), str(model), contract.image_shape), options.kernels)


def layers_h(program: Program) -> str:
    """Return the C table of the places from which digits_wasm.c keeps the rows of layers, and where it keeps them."""
    rows, offset = [], 0
    for number, operator in enumerate(program.operators, start=1):
        height, width, channels = operator.output.shape
        fields = (f"ROWS_{number}", program.plan.rows[number], height, width * channels, offset)
        rows.append(f"    {{{', '.join(map(str, fields))}}},")
        offset += height * width * channels
    return "\n".join([
        f"#define KEPT_BYTES {offset}",
        "typedef struct {",
        "    int32_t place, rows, height, row_bytes, offset;",
        "} kept_layer;",
        "static const kept_layer kept_layers[] = {",
        *rows,
        "};\n",
    ])  # fmt: skip


def layers_of(program: Program) -> list[dict[str, Any]]:
    """Return the operator and shape of each layer that digits_look() keeps."""
    return [{"name": operator.name, "shape": list(operator.output.shape)} for operator in program.operators]


def require_for_finder(model: Path) -> None:
    """Check that the compiler is installed if a finder needs it; see require_tools."""
    if _ready(model, "xnnpack") is None:
        require_tools()


def finder_parts(model: Path) -> tuple[bytes, dict[str, Any]]:
    """Return the module of a finder's int8 `.tflite` file, and what a page has to know of it.

    Errors are those of build_wasm.
    """
    contract = read_finder_contract(model)
    module = _ready(model, "xnnpack") or build_finder_wasm(model)
    cell = contract.strides[-1]
    outputs = [
        {"scale": output.scale, "zero": output.zero_point + STORED}
        for output in parsed(model, contract, (cell, cell)).outputs
    ]
    # As edgedigits.load does: the reader judges by both networks.
    return module, {"side": contract.side, "threshold": LEAST_SCORE, "outputs": outputs}


def build_finder_wasm(model: Path) -> bytes:
    """Return a finder's int8 `.tflite` file as a WebAssembly module for pictures of any size, which names its origin.

    Errors are those of build_wasm. See native/finder_wasm.c for its interface.
    """
    version = compiler_version()
    module = compile_wasm(finder_code_of_any_size(model), "finder")
    return with_origin(module, Origin(file_sha256(model), "xnnpack", version))


def prebuilt_wasm(model: Path, options: COptions) -> bytes | None:
    """Return the `.wasm` file beside a `.tflite` file; None if there is none that was compiled from it.

    Raises:
        ArtifactCorrupt: the `.wasm` file is damaged, or does not name its origin.
    """
    return None if options.contract is not None else _ready(model, options.kernels)


def _ready(model: Path, kernels: str) -> bytes | None:
    ready = model.with_suffix(".wasm")
    if not ready.is_file():
        return None
    module = ready.read_bytes()
    origin = read_origin(module, str(ready))
    return module if (origin.tflite, origin.kernels) == (file_sha256(model), kernels) else None


def compile_wasm(sources: Mapping[str, str | bytes], name: str = "digits", compiler: Sequence[str] = COMPILE) -> bytes:
    """Return digits.c and digits.h, or those of another name, as a WebAssembly module.

    `compiler` is the command with its flags.
    """
    require_tools()
    with tempfile.TemporaryDirectory(prefix="edgedigits-") as folder, as_file(NATIVE) as native:
        place = shutil.copytree(native, Path(folder) / "c")
        for file in (f"{name}.h", f"{name}.c", "layers.h"):
            (place / file).write_text(str(sources.get(file, "")))
        # Names without a folder keep the path of this one out of the module.
        _run(place, *compiler, "-c", f"{name}_wasm.c", "-o", f"{name}_wasm.o")
        _run(place, *LINK, f"{name}_wasm.o", "-o", f"{name}.wasm")
        return (place / f"{name}.wasm").read_bytes()


def compiler_version() -> str:
    """Return clang's name and version."""
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


def file_sha256(model: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    return hashlib.sha256(model.read_bytes()).hexdigest()


def with_origin(module: bytes, origin: Origin) -> bytes:
    """Return a module with its origin in a section at the end."""
    return module + _section(origin)


def read_origin(module: bytes, source: str) -> Origin:
    """Return the origin of a module; `source` names it in messages.

    Raises:
        ArtifactCorrupt: it is not WebAssembly, is damaged, or has no origin.
    """
    try:
        origin = Origin(**json.loads(module.rpartition(SECTION)[2]))
    except (ValueError, TypeError) as error:
        raise ArtifactCorrupt(f"{source} does not name the model it was compiled from; build it again") from error
    if not (module.startswith(MAGIC) and module.endswith(_section(origin))):
        raise ArtifactCorrupt(f"{source} is damaged; build it again")
    return origin


def _section(origin: Origin) -> bytes:
    body = SECTION + json.dumps(dataclasses.asdict(origin), sort_keys=True).encode()
    return b"\0" + _leb128(len(body)) + body


def _leb128(value: int) -> bytes:
    """Encode a whole number as WebAssembly does: seven bits a byte, the lowest first."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])
