"""The reference of an artifact: the file that it was made of, and how that is fed."""

import dataclasses
import hashlib
from pathlib import Path
from shlex import quote

from edgedigits.model_files import SHIPPED, SUFFIXES, contract_of, facts_of, find_keras, find_original, open_as
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.engines import is_c_export
from edgedigits_runtime.errors import ArtifactNotFound, ContractMissing, EdgedigitsError, UnknownName
from edgedigits_runtime.foreign.deduction import find_kind, shape_of

ENGINE_TITLES = {".keras": "Keras", ".onnx": "ONNX Runtime", ".tflite": "LiteRT"}
"""Engines of references by their suffix; those that are preferred come first."""


def engine_title(reference: Path) -> str:
    """Return the name of the engine that runs a reference, such as "Keras"."""
    return ENGINE_TITLES[reference.suffix]


def find_given_reference(model: str | Path) -> Path:
    """Return the file of a MODEL that is named as the reference.

    Raises:
        UnknownName: a C export, or no model.
        ArtifactNotFound: no such file.
    """
    path = find_original(model)
    if path.suffix not in ENGINE_TITLES:
        raise UnknownName("model file type of a reference", path.suffix or path.name, ENGINE_TITLES)
    return path


def find_reference(artifact: Path) -> Path:
    """Return the `.tflite` file in a folder of C, or the file beside another artifact that it was made of.

    That is the file with the fingerprint in the artifact's contract; else a `.keras`, `.onnx` or float `.tflite` file
    with the artifact's name, with or without its precision, or with the name "model".

    Raises:
        ArtifactNotFound: there is none.
        ArtifactError: the artifact cannot be used.
    """
    if is_c_export(artifact):
        return artifact / "digits.tflite"
    if artifact.parent == SHIPPED:
        return find_keras(artifact.stem)
    contract = contract_of(artifact)
    names = artifact.stem, artifact.stem.removesuffix(f".{contract.precision}"), "model"
    named = [artifact.with_name(f"{name}{suffix}") for suffix in ENGINE_TITLES for name in names]
    beside = [path for path in sorted(artifact.parent.iterdir()) if path.suffix in SUFFIXES]
    files = [path for path in dict.fromkeys([*named, *beside]) if path.is_file() and path != artifact]
    fingerprint = (contract.verified or {}).get("against")
    for path in files if fingerprint else ():
        if file_digest(path) == fingerprint:
            return path
    for path in files:
        if path in named and (path.suffix == ".keras" or _is_float(path)):
            return path
    raise ArtifactNotFound(
        f"expected the .keras, .onnx or float .tflite file that {artifact} was made of beside it, found none; give it"
        f" with --against FILE; to measure one file alone: edgedigits evaluate FOLDER --model {quote(str(artifact))}"
    )


def _is_float(path: Path) -> bool:
    try:
        return contract_of(path).precision == "float32"
    except EdgedigitsError:
        return False


def contract_of_reference(reference: Path, artifact: Contract) -> Contract:
    """Return the contract to open a reference with: its own; without one, what the artifact's contract states.

    Both are then fed and read by the same facts; tensors, layout and kind of output are the file's.

    Raises:
        ContractMissing, ContractInvalid: the layout is not certain, or the labels do not fit.
        ArtifactError: the file cannot be used.
    """
    try:
        return read_contract(reference)
    except ContractMissing:
        given = {"non_digit": True} if artifact.non_digit else {}
        stated, _ = shape_of(facts_of(reference), given, artifact.labels)
    shared = ("name", "normalisation", "polarity", "reader", "recipe", "training", "data")
    contract = dataclasses.replace(stated, **{field: getattr(artifact, field) for field in shared})
    with open_as(reference, contract) as engine:
        return dataclasses.replace(contract, output_kind=find_kind(engine, contract, None))


def file_digest(file: Path) -> str:
    """Return the SHA-256 of a file."""
    return f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
