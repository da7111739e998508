"""Engines run a model file. One module each; `open_engine` chooses by file type or by name.

An engine module imports its library only inside its two functions:

    open_engine(path, contract, device, options) -> Engine
    probe() -> EngineReport
"""

import importlib
from pathlib import Path

from edgedigits_runtime.contract import Contract
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.engines.engine import Engine, EngineReport
from edgedigits_runtime.errors import ArtifactNotFound, UnknownName

ENGINES = {
    "litert": "edgedigits_runtime.engines.litert",
    "onnxruntime": "edgedigits_runtime.engines.onnxruntime",
    "c": "edgedigits_runtime.engines.compiled_c",
}

ENGINE_OF_SUFFIX = {".tflite": "litert", ".onnx": "onnxruntime"}


def is_c_export(path: Path) -> bool:
    """Return whether a path is a folder of C from `edgedigits export --format c`, in any layout."""
    return find_c_file(path, "digits.c").is_file()


def find_c_file(folder: Path, name: str) -> Path:
    """Return the path of a C file in a folder of any layout of `--project`; that of the plain one if it is missing."""
    places = (folder / place / name for place in ("", "src", "include"))
    return next((path for path in places if path.is_file()), folder / name)


def open_engine(
    path: Path,
    *,
    engine: str | None = None,
    device: str = "auto",
    options: EngineOptions | None = None,
    contract: Contract | None = None,
) -> Engine:
    """Load a model file.

    Args:
        path: a `.tflite` or `.onnx` file, or a folder of C.
        engine: a name of ENGINES; chosen by the suffix if None.
        device: "auto", "cpu", or an accelerator of ONNX Runtime such as "cuda" or "cuda:1".
        options: threads, workers, kernels and cores; the defaults if None.
        contract: replaces the file's own.

    Raises:
        ArtifactNotFound, ArtifactCorrupt, ArtifactUnsupported, ContractMissing, ContractInvalid: about the file.
        UnknownName: no such engine, or none for this type of file.
        MissingExtra: the engine's library is not installed.
        DeviceUnavailable: the engine cannot run on that device.
        EngineCrashed: an isolated engine crashed, or exceeded its limit of time or memory.
    """
    if engine is not None and engine not in ENGINES:
        raise UnknownName("engine", engine, ENGINES)
    fitting = "c" if is_c_export(path) else ENGINE_OF_SUFFIX.get(path.suffix)
    if fitting is None:
        raise UnknownName("model file type", path.suffix or path.name, [*ENGINE_OF_SUFFIX, "a folder of C"])
    if engine not in (None, fitting):
        raise UnknownName(f"engine for {path.suffix or 'C'} files", str(engine), [fitting])
    if fitting != "c" and not path.is_file():
        raise ArtifactNotFound(f"no model file at {path}")
    return open_by(ENGINES[fitting], path, contract, device, options or EngineOptions())


def open_by(module: str, path: Path, contract: Contract | None, device: str, options: EngineOptions) -> Engine:
    """Load a model file with an engine's module, in a child process if the options ask for isolation."""
    if options.isolation is not None:
        from edgedigits_runtime.engines.isolated import open_isolated

        return open_isolated(f"{module}:open_engine", path, contract, device, options)
    opened: Engine = importlib.import_module(module).open_engine(path, contract, device, options)
    return opened


def probe_engines() -> dict[str, EngineReport]:
    """Return the report of each engine for `doctor`, by name."""
    return {name: importlib.import_module(module).probe() for name, module in ENGINES.items()}
