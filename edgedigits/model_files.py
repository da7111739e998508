"""From what a user calls MODEL to a file: a shipped name, a run folder, a `.keras`, `.onnx` or `.tflite` file, or C."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from edgedigits_runtime.contract import Contract, parse_contract
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.engines import ENGINE_OF_SUFFIX, ENGINES, is_c_export, open_by, open_engine
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactNotFound, EdgedigitsError, UnknownName

SHIPPED = Path(__file__).parent / "models"
DEFAULT_MODEL = "base"
SUFFIXES = (*ENGINE_OF_SUFFIX, ".keras")
SUFFIX_OF_ENGINE = {engine: suffix for suffix, engine in ENGINE_OF_SUFFIX.items()} | {"keras": ".keras"}


def shipped_names() -> list[str]:
    """Return the names of the shipped models."""
    return sorted(path.stem for path in SHIPPED.glob("*.tflite"))


def find_model(model: str | Path, *, engine: str | None = None, device: str = "auto") -> Path:
    """Return the file that reads pictures: of a run folder its `model.keras`, of a shipped name the engine's.

    Args:
        model: a shipped name, a run folder or a file.
        engine: of a shipped name; LiteRT if None, or ONNX Runtime where the device is an accelerator.
        device: see edgedigits_runtime.engines.open_engine.

    Raises:
        UnknownName: neither a shipped name nor a path.
        ArtifactNotFound: no such file, or a run folder without a finished model.
        ArtifactCorrupt: a shipped file is not the one that was shipped.
    """
    usual = "litert" if device in ("auto", "cpu") else "onnxruntime"
    return _find(model, shipped_suffix=SUFFIX_OF_ENGINE.get(engine or usual, ".tflite"))


def find_keras(model: str | Path) -> Path:
    """Return the `.keras` file of a MODEL, for exporting and verifying.

    Raises:
        UnknownName: neither a shipped name nor a path, or a file of another type.
        ArtifactNotFound: no such file, or a run folder without a finished model.
        ArtifactCorrupt: a shipped file is not the one that was shipped.
    """
    path = _find(model, shipped_suffix=".keras")
    if path.suffix != ".keras":
        raise UnknownName("model file type to export from", path.suffix, [".keras"])
    return path


def _find(model: str | Path, shipped_suffix: str) -> Path:
    if str(model) in shipped_names():
        return check_shipped(SHIPPED / f"{model}{shipped_suffix}")
    path = Path(model)
    if is_c_export(path):
        return path
    if path.is_dir():
        kept = path / "model.keras"
        if not kept.is_file():
            if not (path / "config.json").is_file():
                raise ArtifactNotFound(f"{path} is no run folder: it has neither model.keras nor config.json")
            raise ArtifactNotFound(
                f"{path} holds no model.keras: its training was not finished; finish it with"
                f" edgedigits train --resume {path}"
            )
        return kept
    if path.suffix in SUFFIXES:
        if not path.is_file():
            raise ArtifactNotFound(f"no model file at {path}")
        return check_shipped(path)
    known = [*shipped_names(), "a run folder", f"a {', '.join(SUFFIXES)} file", "a C export"]
    raise UnknownName("model", str(model), known)


def check_shipped(path: Path) -> Path:
    """Return a path; a file of a shipped model is compared with the SHA-256 in its card before.

    Raises:
        ArtifactNotFound: a shipped file is missing.
        ArtifactCorrupt: it is not the one that was shipped.
    """
    if path.parent != SHIPPED:
        return path
    name = path.name.split(".")[0]
    try:
        card = json.loads((SHIPPED / f"{name}.card.json").read_bytes())
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ArtifactNotFound(f"{error.filename} is missing; install edgedigits again") from error
    except ValueError as error:
        raise ArtifactCorrupt(f"the card of {name} is damaged: {error}; install edgedigits again") from error
    expected = {**card["files"], **card["other_files"]}.get(path.name, {}).get("sha256")
    if hashlib.sha256(content).hexdigest() != expected:
        raise ArtifactCorrupt(f"{path} is not the file that was shipped: its SHA-256 differs; install edgedigits again")
    return path


def read_contract_file(path: Path) -> Contract:
    """Read a contract that a user gives for a foreign model.

    Raises:
        ArtifactNotFound: no such file.
        ContractInvalid: see parse_contract.
    """
    if not path.is_file():
        raise ArtifactNotFound(f"no contract at {path}")
    return parse_contract(path.read_bytes(), str(path))


def open_model(
    path: Path,
    *,
    engine: str | None = None,
    device: str = "auto",
    options: EngineOptions | None = None,
    contract: Contract | None = None,
) -> Engine:
    """Load a file of any type that MODEL may be; see edgedigits_runtime.engines.open_engine for errors."""
    if engine not in (None, "keras", *ENGINES):
        raise UnknownName("engine", str(engine), [*ENGINES, "keras"])
    if path.suffix != ".keras":
        return open_engine(path, engine=engine, device=device, options=options, contract=contract)
    if engine not in (None, "keras"):
        raise UnknownName("engine for .keras files", engine, ["keras"])
    return open_by("edgedigits_exporters.keras_engine", path, contract, device, options or EngineOptions())


@dataclass(frozen=True)
class ModelEntry:
    """A model file for listings; `contract` is None where it could not be read, and `problem` says why."""

    name: str
    path: Path
    contract: Contract | None
    problem: str = ""


def shipped_models() -> list[ModelEntry]:
    """Return the files of the shipped models."""
    files = (SHIPPED / f"{name}{suffix}" for name in shipped_names() for suffix in SUFFIXES)
    return [_entry(path, path.stem) for path in files if path.is_file()]


def local_models(runs: Path) -> list[ModelEntry]:
    """Return the kept models and artifacts of the run folders under `runs`."""
    return [
        _entry(path, str(path))
        for path in sorted(runs.glob("*/*"))
        if path.suffix in ENGINE_OF_SUFFIX or path.name == "model.keras"
    ]


def _entry(path: Path, name: str) -> ModelEntry:
    try:
        return ModelEntry(name, path, read_contract(path))
    except EdgedigitsError as error:
        return ModelEntry(name, path, None, str(error))
