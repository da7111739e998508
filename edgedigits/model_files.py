"""Find and open the file of a MODEL: a shipped name, a run folder, a model file or a C export."""

import hashlib
import json
import os
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

from edgedigits_runtime.contract import Contract
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.engines import ENGINE_OF_SUFFIX, ENGINES, is_c_export, open_by, open_engine
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.errors import (
    ArgumentError,
    ArtifactCorrupt,
    ArtifactNotFound,
    ArtifactUnsupported,
    ContractMissing,
    EdgedigitsError,
    UnknownName,
)

if TYPE_CHECKING:
    from edgedigits_runtime.finder_contract import FinderContract
    from edgedigits_runtime.foreign.facts import Facts

AnyPath = str | os.PathLike[str]
"""What a caller may give as a path."""

SHIPPED = Path(__file__).parent / "models"
DEFAULT_MODEL = "base"
SHIPPED_FINDER = SHIPPED / "finder"
"""Holds finder.tflite for the processor, finder.onnx for accelerators, finder.wasm for pages, and their card."""
SHIPPED_BY_NAME = "shipped"
"""What a finder is called that is shipped."""
DEFAULT_FINDER: str | None = None
SUFFIXES = (*ENGINE_OF_SUFFIX, ".keras")
HDF5 = (".h5", ".hdf5")
SUFFIX_OF_ENGINE = {engine: suffix for suffix, engine in ENGINE_OF_SUFFIX.items()} | {"keras": ".keras"}


def as_path(value: AnyPath, what: str) -> Path:
    """Return a caller's path; raise ArgumentError, which names `what` was expected, for another type."""
    try:
        return Path(value)
    except TypeError as error:
        raise ArgumentError(f"expected {what}, as text or a path; got {type(value).__name__}") from error


def optional_path(value: AnyPath | None, what: str) -> Path | None:
    """Return a caller's path, or None for None; see as_path."""
    return None if value is None else as_path(value, what)


def shipped_names() -> list[str]:
    """Return the names of the shipped models."""
    return sorted(path.stem for path in SHIPPED.glob("*.tflite"))


def find_model(model: AnyPath, *, engine: str | None = None, device: str = "auto") -> Path:
    """Return the file to read pictures with: `model.keras` of a run folder, the engine's file of a shipped name.

    Args:
        model: a shipped name, a run folder or a file.
        engine: for a shipped name; if None, LiteRT, or ONNX Runtime if the device is an accelerator.
        device: see edgedigits_runtime.engines.open_engine.

    Raises:
        UnknownName: neither a shipped name nor a path.
        ArtifactNotFound: no such file, or a run folder without a finished model.
        ArtifactUnsupported: it has to be imported first.
        ArtifactCorrupt: a shipped file was changed.
    """
    usual = "litert" if device in ("auto", "cpu") else "onnxruntime"
    return _find(model, shipped_suffix=SUFFIX_OF_ENGINE.get(engine or usual, ".tflite"))


def find_finder(finder: AnyPath | None, *, device: str = "auto") -> Path | None:
    """Return the finder's file to read pictures with; None where they are read by rules.

    Args:
        finder: a file, which need not exist; None for no finder; "shipped" for the shipped one.
        device: see edgedigits_runtime.engines.open_engine.

    Raises:
        ArtifactNotFound, ArtifactCorrupt: a shipped file is missing, or was changed.
    """
    if finder is None or str(finder) != SHIPPED_BY_NAME:
        return optional_path(finder, "a finder's file")
    if not SHIPPED_FINDER.is_dir():
        raise ArtifactNotFound("no finder is shipped yet; train one: edgedigits train --recipe finder")
    usual = "litert" if device in ("auto", "cpu") else "onnxruntime"
    return check_shipped(SHIPPED_FINDER / f"finder{SUFFIX_OF_ENGINE[usual]}")


def find_original(model: AnyPath) -> Path:
    """Return the `.keras` file of a shipped name or a run folder, or the given file; for errors see find_model."""
    return _find(model, shipped_suffix=".keras")


def find_keras(model: AnyPath) -> Path:
    """Return the `.keras` file of a MODEL; for errors see find_model, and UnknownName for a file of another type."""
    path = find_original(model)
    if path.suffix != ".keras":
        raise UnknownName("model file type to export from", path.suffix, [".keras"])
    return path


def _find(model: AnyPath, shipped_suffix: str) -> Path:
    if str(model) in shipped_names():
        return check_shipped(SHIPPED / f"{model}{shipped_suffix}")
    path = as_path(model, "a shipped name, a run folder or a model file")
    if is_c_export(path):
        return path
    refuse_unimported(path)
    if path.is_dir():
        if (path / "model.keras").is_file():
            return path / "model.keras"
        if (path / "finder.keras").is_file():
            raise ArtifactUnsupported(f"{path} holds a finder, which says where digits are; give a classifier as MODEL")
        if not (path / "config.json").is_file():
            raise ArtifactNotFound(f"{path} is not a run folder: it has neither model.keras nor config.json")
        raise ArtifactNotFound(f"{path} has no model.keras; finish its training: edgedigits train --resume {path}")
    if path.suffix in SUFFIXES:
        if not path.is_file():
            raise ArtifactNotFound(f"no model file at {path}")
        return check_shipped(path)
    known = [*shipped_names(), "a run folder", f"a {', '.join(SUFFIXES)} file", "a C export"]
    raise UnknownName("model", str(model), known)


def refuse_unimported(path: Path) -> None:
    """Refuse an HDF5 file of Keras and a SavedModel, which only `import` reads.

    Raises:
        ArtifactNotFound: no such file.
        ArtifactUnsupported: it has to be imported first.
    """
    if path.suffix in HDF5 and not path.is_file():
        raise ArtifactNotFound(f"no model file at {path}")
    if path.suffix in HDF5 or (path / "saved_model.pb").is_file():
        kind = "an HDF5 file of Keras" if path.suffix in HDF5 else "a SavedModel"
        raise ArtifactUnsupported(f"{path} is {kind}; import it first: edgedigits import {quote(str(path))}")


def check_shipped(path: Path) -> Path:
    """Return `path`; if it is a shipped file, compare it with the SHA-256 in its card; for errors see find_model."""
    if path.parent not in (SHIPPED, SHIPPED_FINDER):
        return path
    expected = sha256_in_card(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise _missing(error) from error
    if hashlib.sha256(content).hexdigest() != expected:
        raise ArtifactCorrupt(f"the SHA-256 of {path} differs from its card; install edgedigits again")
    return path


def sha256_in_card(path: Path) -> str | None:
    """Return the SHA-256 that its card states for a shipped file; None for another file."""
    if path.parent not in (SHIPPED, SHIPPED_FINDER):
        return None
    name = path.name.split(".")[0]
    try:
        card = json.loads((path.parent / f"{name}.card.json").read_bytes())
    except FileNotFoundError as error:
        raise _missing(error) from error
    except ValueError as error:
        raise ArtifactCorrupt(f"the card of {name} is damaged: {error}; install edgedigits again") from error
    sha256: str | None = {**card["files"], **card["other_files"]}.get(path.name, {}).get("sha256")
    return sha256


def _missing(error: FileNotFoundError) -> ArtifactNotFound:
    return ArtifactNotFound(f"{error.filename} is missing; install edgedigits again")


def contract_of(path: Path) -> Contract:
    """Return the contract in a model file or a folder of C; one is deduced for a file without one, if all is certain.

    Raises:
        ContractMissing: the file does not state how it is fed; the message has the import to type.
        ArtifactError: the file cannot be used.
    """
    try:
        return read_contract(path)
    except ContractMissing:
        if not path.is_file() or path.suffix not in SUFFIXES:
            raise
    state = path.stat()
    return _deduced(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=8)
def _deduced(path: Path, _changed: int, _size: int) -> Contract:
    from edgedigits_runtime.foreign.deduction import deduce, shape_of

    facts = facts_of(path)
    contract, _ = shape_of(facts, {}, None)
    return deduce(facts, contract, partial(open_as, path), {}).contract


def facts_of(path: Path) -> "Facts":
    """Return what a model file states; for errors see edgedigits_runtime.foreign.facts.read_facts."""
    if path.suffix == ".keras":
        from edgedigits_exporters import keras_facts

        return keras_facts.read_facts(path)
    from edgedigits_runtime.foreign.facts import read_facts

    return read_facts(path)


def open_as(path: Path, contract: Contract) -> Engine:
    """Open a model file on this machine's processor with a contract."""
    return open_model(path, device="cpu", contract=contract)


def open_model(
    path: Path,
    *,
    engine: str | None = None,
    device: str = "auto",
    options: EngineOptions | None = None,
    contract: Contract | None = None,
) -> Engine:
    """Open a model file of any type; for errors see edgedigits_runtime.engines.open_engine.

    Without `contract`, that of the file is used, or one that is deduced if all is certain; see contract_of.
    """
    if engine not in (None, "keras", *ENGINES):
        raise UnknownName("engine", str(engine), [*ENGINES, "keras"])
    # To deduce a contract, the file is opened in this process.
    if contract is None and path.is_file() and (options is None or options.isolation is None):
        contract = contract_of(path)
    if trusted := sha256_in_card(path):
        options = replace(options or EngineOptions(), trusted_sha256=trusted)
    if path.suffix != ".keras":
        return open_engine(path, engine=engine, device=device, options=options, contract=contract)
    if engine not in (None, "keras"):
        raise UnknownName("engine for .keras files", engine, ["keras"])
    return open_by("edgedigits_exporters.keras_engine", path, contract, device, options or EngineOptions())


class ModelEntry(NamedTuple):
    """A model file in a list; without a `contract`, `problem` is the reason."""

    name: str
    path: Path
    contract: "Contract | FinderContract | None"
    problem: str = ""


def shipped_models() -> list[ModelEntry]:
    """Return the shipped model files."""
    files = (SHIPPED / f"{name}{suffix}" for name in shipped_names() for suffix in SUFFIXES)
    return [_entry(path, path.stem) for path in files if path.is_file()]


def shipped_finders() -> list[ModelEntry]:
    """Return the shipped files of the finder."""
    return [_entry(path, path.stem) for path in sorted(SHIPPED_FINDER.glob("finder.*")) if path.suffix in SUFFIXES]


def local_models(runs: Path) -> list[ModelEntry]:
    """Return the models and artifacts in the run folders below `runs`, and finders."""
    return [entry for run in sorted(runs.glob("*/")) for entry in models_in(run)]


def models_in(run: Path) -> list[ModelEntry]:
    """Return the models and artifacts in a run folder; for another model file or a C export, only itself."""
    if not run.is_dir() or is_c_export(run):
        return [_entry(run, str(run))]
    trained = ("model.keras", "finder.keras")
    files = (path for path in sorted(run.glob("*")) if path.suffix in ENGINE_OF_SUFFIX or path.name in trained)
    return [_entry(path, str(path)) for path in files]


def _entry(path: Path, name: str) -> ModelEntry:
    # Here, so that pictures are read without it.
    from edgedigits_runtime.finder_contract import holds_finder, read_finder_contract

    try:
        return ModelEntry(name, path, read_finder_contract(path) if holds_finder(path) else read_contract(path))
    except EdgedigitsError as error:
        return ModelEntry(name, path, None, str(error))
